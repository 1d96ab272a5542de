package table_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// Every kind of read, as a list of keys.
func reads(tbl *items) map[string]func(context.Context) ([]int64, error) {
	collect := func(seq func(func(item, error) bool)) (keys []int64, err error) {
		for r, err := range seq {
			if err != nil {
				return keys, err
			}
			keys = append(keys, r.ID)
		}
		return keys, nil
	}
	return map[string]func(context.Context) ([]int64, error){
		"Records": func(ctx context.Context) ([]int64, error) { return collect(tbl.Records(ctx, tbl.All("at"))) },
		"Lookup":  func(ctx context.Context) ([]int64, error) { return collect(tbl.Lookup(ctx, 0, 1, 2, 3, 4, 5, 6)) },
		"Stream": func(ctx context.Context) (keys []int64, err error) {
			s := tbl.Stream(ctx, tbl.All("at"))
			for r := range s.C() {
				keys = append(keys, r.ID)
			}
			return keys, s.Err()
		},
		"First": func(ctx context.Context) ([]int64, error) {
			r, err := tbl.First(ctx, tbl.All("at"))
			return []int64{r.ID}, err
		},
		"Get": func(ctx context.Context) ([]int64, error) {
			r, err := tbl.Get(ctx, 2)
			return []int64{r.ID}, err
		},
		"Count": func(ctx context.Context) ([]int64, error) {
			n, err := tbl.Count(ctx, tbl.All("at"))
			return []int64{int64(n)}, err
		},
	}
}

func TestD4_ReadsWaitInNoState(t *testing.T) {
	t.Parallel()
	tbl, brake := openBraked(t)
	put(t, tbl, numbered(0, 3)...)
	check := func(want map[string][]int64) {
		t.Helper()
		for name, read := range reads(tbl) {
			got, err := read(t.Context())
			if err != nil || !slices.Equal(got, want[name]) {
				t.Errorf("%s in %v: got %v, %v, want %v", name, stats(t, tbl).State, got, err, want[name])
			}
		}
	}
	list := []int64{0, 1, 2}
	before := map[string][]int64{"Records": list, "Lookup": list, "Stream": list, "First": {0}, "Get": {2}, "Count": {3}}
	check(before)
	ok(t, tbl.ScratchPut(t.Context(), numbered(2, 5)...))
	ok(t, discard(0, 10)(t.Context(), tbl))
	wantState(t, tbl, table.StateActive)
	check(before)
	merge(t, tbl)
	list = []int64{1, 2, 3, 4}
	after := map[string][]int64{"Records": list, "Lookup": list, "Stream": list, "First": {1}, "Get": {2}, "Count": {4}}
	check(after)
	brake.release()
	ok(t, tbl.WaitClear(t.Context()))
	check(after)
}

// staging fills a table and stages every kind of change: rows that stay, move in both indexes, vanish, come, come back.
// It returns the keys by "at" before and after, and those after by "rank".
func staging(t testing.TB, tbl *items) (before, after, ranked []int64) {
	t.Helper()
	put(t, tbl, numbered(0, 6)...)
	ok(t, tbl.ScratchPut(t.Context(), item{ID: 1, At: 45, Rank: 9}, item{ID: 10, At: -5, Rank: 0}, item{ID: 11, At: 500, Rank: 1}))
	ok(t, discard(20, 40)(t.Context(), tbl))
	ok(t, tbl.ScratchPut(t.Context(), item{ID: 3, Name: "back", At: 5, Rank: 0}))
	ok(t, discard(500, 501)(t.Context(), tbl))
	return []int64{0, 1, 2, 3, 4, 5}, []int64{10, 0, 3, 4, 1, 5}, []int64{0, 3, 10, 4, 5, 1}
}

func TestD5_TheViewWhileMergingIsStagedOverMergedRows(t *testing.T) {
	t.Parallel()
	tbl, brake := openBraked(t)
	before, after, ranked := staging(t, tbl)
	wantIDs(t, tbl, tbl.All("at"), before...)
	merge(t, tbl)
	check := func() {
		t.Helper()
		wantIDs(t, tbl, tbl.All("at"), after...)
		wantIDs(t, tbl, tbl.All("rank"), ranked...)
		slices.Reverse(ranked)
		wantIDs(t, tbl, tbl.All("rank").Reversed(), ranked...)
		slices.Reverse(ranked)
		wantIDs(t, tbl, tbl.Range("at", 5, 45), 3, 4)
		wantIDs(t, tbl, tbl.Range("at", 10, 40))
		wantIDs(t, tbl, tbl.All("at").Max(2), 10, 0)
		wantIDs(t, tbl, tbl.All("at").Where(func(i *item) bool { return i.Name == "back" }), 3)
		if got := keysOf(all(t, tbl.Lookup(t.Context(), 11, 1, 2, 3, 0))); !slices.Equal(got, []int64{1, 3, 0}) {
			t.Errorf("look-up: got %v, want [1 3 0]", got)
		}
		if _, err := tbl.Get(t.Context(), 2); !errors.Is(err, table.ErrNotFound) {
			t.Errorf("a discarded record: got %v, want ErrNotFound", err)
		}
	}
	check()
	brake.release()
	ok(t, tbl.WaitClear(t.Context()))
	check()
}

func TestD6_AMergeIsOneScriptHoweverMuchIsStaged(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2500} {
		rdb, sent := counted(t)
		b := newBrake(t)
		tbl := openOn(t, rdb, redistest.Prefix(t), table.WithCleanup(b.pool))
		ok(t, tbl.ScratchPut(t.Context(), numbered(0, n)...))
		wantCount(t, tbl, tbl.All("at"), 0) // now a connection is there
		before := sent.n.Load()
		ok(t, tbl.ScratchMerge(t.Context()))
		if got := sent.n.Load() - before; got != 1 {
			t.Errorf("merge of %d rows took %d commands, want 1", n, got)
		}
		wantCount(t, tbl, tbl.All("at"), n)
	}
}

func wantCount(t testing.TB, tbl *items, s table.Spec[item], want int) {
	t.Helper()
	n, err := tbl.Count(t.Context(), s)
	ok(t, err)
	if n != want {
		t.Errorf("count: got %d, want %d", n, want)
	}
}

func TestD6_AbortDropsWhatIsStaged(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl := openOn(t, rdb, name)
	before, _, _ := staging(t, tbl)
	ok(t, tbl.ScratchAbort(t.Context()))
	s := stats(t, tbl)
	if s.State != table.StateClear || s.Staged != 0 || s.Generation != 0 {
		t.Errorf("after the abort: %+v", s)
	}
	wantIDs(t, tbl, tbl.All("at"), before...)
	ok(t, tbl.ScratchMerge(t.Context()))
	wantIDs(t, tbl, tbl.All("at"), before...)
	put(t, tbl, item{ID: 0, At: 100}) // regular writes go on
}

// stagedLoad has a table of many rows and stages a change of most of them.
func stagedLoad(t testing.TB, tbl *items) (after []item) {
	t.Helper()
	put(t, tbl, numbered(0, 2000)...)
	after = numbered(500, 2600)
	for i := range after {
		after[i].Name, after[i].At, after[i].Rank = "new", -after[i].At, float64(i%5)
	}
	slices.Reverse(after) // now in the order of "at"
	ok(t, tbl.ScratchPut(t.Context(), after...))
	ok(t, discard(0, 5000)(t.Context(), tbl))
	return after
}

func TestD7_TheFoldChangesNoAnswer(t *testing.T) {
	t.Parallel()
	tbl, brake := openBraked(t)
	after := stagedLoad(t, tbl)
	merge(t, tbl)
	wantItems(t, all(t, tbl.Records(t.Context(), tbl.All("at"))), after)
	brake.turnUntilHalf(t, tbl)
	wantItems(t, all(t, tbl.Records(t.Context(), tbl.All("at"))), after)
	wantCount(t, tbl, tbl.All("rank"), len(after))
	wantItems(t, all(t, tbl.Lookup(t.Context(), keysOf(after)...)), after)
	brake.release()
	for range 3 { // while it runs
		wantItems(t, all(t, tbl.Records(t.Context(), tbl.All("at"))), after)
	}
	ok(t, tbl.WaitClear(t.Context()))
	wantItems(t, all(t, tbl.Records(t.Context(), tbl.All("at"))), after)
}

func TestD7_ALateOrRepeatedBatchDoesNothing(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	folds := new(foldCalls)
	rdb.AddHook(folds)
	tbl := openOn(t, rdb, name)
	after := stagedLoad(t, tbl)
	ok(t, tbl.ScratchMerge(t.Context()))
	ok(t, tbl.WaitClear(t.Context()))
	ok(t, tbl.ScratchPut(t.Context(), numbered(0, 10)...))
	before := dump(t, rdb, name)
	if len(folds.all()) < 2 {
		t.Fatalf("%d batches were seen, want several", len(folds.all()))
	}
	for _, args := range folds.all() { // in another generation, and not merging
		ok(t, redistest.Shared(t).Client(t).Do(t.Context(), args...).Err())
	}
	wantUntouched(t, rdb, name, before)
	wantItems(t, all(t, tbl.Records(t.Context(), tbl.All("at"))), after)
}

func TestD7_AFoldBatchWithoutItsScoreIsLostBeforeTheFirstWrite(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl, b := mergedOnly(t, rdb, name)
	ok(t, rdb.ZRem(t.Context(), name+":x:at", rawKey(1)).Err())
	ok(t, rdb.ZAdd(t.Context(), name+":x:at", redis.Z{Member: "stranger"}).Err()) // the counts still hold
	before := dump(t, rdb, name)
	b.release()
	if err := tbl.WaitClear(t.Context()); !errors.Is(err, table.ErrLost) {
		t.Errorf("got %v, want ErrLost", err)
	}
	wantUntouched(t, rdb, name, before)
}

// An adjustment that has failed half way can be abandoned.
func TestU23_AFailedAdjustmentIsAbandoned(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 3)...)
	_, err := tbl.ScratchDiscard(t.Context(), tbl.All("at"))
	ok(t, err)
	ok(t, tbl.ScratchPut(t.Context(), numbered(5, 8)...))
	if tbl.ScratchPut(t.Context(), item{ID: 9, At: math.NaN()}) == nil {
		t.Fatal("a NaN score was staged")
	}
	ok(t, tbl.ScratchAbort(t.Context()))
	put(t, tbl, numbered(3, 4)...)
	wantIDs(t, tbl, tbl.All("at"), 0, 1, 2, 3)
}
