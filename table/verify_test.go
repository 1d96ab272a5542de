package table_test

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// hashOf is how a key appears in errors and reports.
func hashOf(id int64) string {
	h := fnv.New64a()
	h.Write([]byte(rawKey(id)))
	return fmt.Sprintf("%016x", h.Sum64())
}

// damage is something that is wrong with what a table stores, and what Verify must say about it.
type damage struct {
	inject func(ctx context.Context, rdb *redis.Client, name string) error
	want   []table.Problem
}

func score(id int64, f float64) redis.Z { return redis.Z{Score: f, Member: rawKey(id)} }

// damages to merged rows (:r, :i) or staged ones (:s, :x). Rows 3 and 4 are there, row 77 is not.
func damages(hash, set string, staged bool) map[string]damage {
	all := make(map[string]damage)
	problem := func(kind table.ProblemKind, id int64, index string) table.Problem {
		return table.Problem{Kind: kind, Key: hashOf(id), Index: index, Staged: staged}
	}
	wrongCount := table.Problem{Kind: table.WrongCount, Staged: staged}
	for _, index := range []string{"at", "rank"} {
		all["orphan entry in "+index] = damage{func(ctx context.Context, rdb *redis.Client, name string) error {
			return rdb.ZAdd(ctx, name+set+index, score(77, 5)).Err()
		}, []table.Problem{problem(table.OrphanEntry, 77, index)}}
		all["row missing from "+index] = damage{func(ctx context.Context, rdb *redis.Client, name string) error {
			return rdb.ZRem(ctx, name+set+index, rawKey(3)).Err()
		}, []table.Problem{problem(table.MissingEntry, 3, index)}}
		all["wrong score in "+index] = damage{func(ctx context.Context, rdb *redis.Client, name string) error {
			return rdb.ZAdd(ctx, name+set+index, score(3, 30.000000000000004)).Err()
		}, []table.Problem{problem(table.WrongScore, 3, index)}}
		all["one for another in "+index] = damage{func(ctx context.Context, rdb *redis.Client, name string) error {
			_, err := rdb.TxPipelined(ctx, func(p redis.Pipeliner) error { // the counts hold
				p.ZRem(ctx, name+set+index, rawKey(3))
				return p.ZAdd(ctx, name+set+index, score(77, 5)).Err()
			})
			return err
		}, []table.Problem{problem(table.MissingEntry, 3, index), problem(table.OrphanEntry, 77, index)}}
	}
	all["row gone"] = damage{func(ctx context.Context, rdb *redis.Client, name string) error {
		return rdb.HDel(ctx, name+hash, rawKey(3)).Err()
	}, []table.Problem{problem(table.OrphanEntry, 3, "at"), problem(table.OrphanEntry, 3, "rank"), wrongCount}}
	all["row of somebody else's"] = damage{func(ctx context.Context, rdb *redis.Client, name string) error {
		return rdb.HSet(ctx, name+hash, rawKey(77), rdb.HGet(ctx, name+hash, rawKey(3)).Val()).Err()
	}, []table.Problem{problem(table.MissingEntry, 77, "at"), problem(table.MissingEntry, 77, "rank"), wrongCount}}
	all["all rows gone"] = damage{func(ctx context.Context, rdb *redis.Client, name string) error {
		return rdb.Del(ctx, name+set+"at", name+set+"rank").Err()
	}, []table.Problem{problem(table.MissingEntry, 3, "at"), problem(table.MissingEntry, 3, "rank"),
		problem(table.MissingEntry, 4, "at"), problem(table.MissingEntry, 4, "rank")}}
	for what, change := range map[string]func(string) string{
		"cut short": func(row string) string { return row[:len(row)-1] },
		"too long":  func(row string) string { return row + "x" },
	} {
		all["row "+what] = damage{func(ctx context.Context, rdb *redis.Client, name string) error {
			return rdb.HSet(ctx, name+hash, rawKey(3), change(rdb.HGet(ctx, name+hash, rawKey(3)).Val())).Err()
		}, []table.Problem{{Kind: table.BadRow, Key: hashOf(3), Staged: staged, Attribute: map[string]string{"cut short": "tags"}[what]}}}
	}
	count := "count"
	if staged {
		count = "staged"
		all["wrong live"] = damage{func(ctx context.Context, rdb *redis.Client, name string) error {
			return rdb.HIncrBy(ctx, name+":m", "live", 1).Err()
		}, []table.Problem{wrongCount}}
	}
	all["wrong "+count] = damage{func(ctx context.Context, rdb *redis.Client, name string) error {
		return rdb.HIncrBy(ctx, name+":m", count, 1).Err()
	}, []table.Problem{wrongCount}}
	return all
}

// mergedDamages and stagedDamages are those that only one kind of row can have.
func mergedDamages() map[string]damage {
	all := damages(":r", ":i:", false)
	all["row without attributes"] = damage{func(ctx context.Context, rdb *redis.Client, name string) error {
		return rdb.HSet(ctx, name+":r", rawKey(3), "\x00\x00\x00\x00").Err()
	}, []table.Problem{{Kind: table.BadRow, Key: hashOf(3)}}}
	all["empty row"] = damage{func(ctx context.Context, rdb *redis.Client, name string) error {
		return rdb.HSet(ctx, name+":r", rawKey(3), "").Err()
	}, []table.Problem{{Kind: table.BadRow, Key: hashOf(3)}}}
	all["row of a generation to come"] = damage{func(ctx context.Context, rdb *redis.Client, name string) error {
		return rdb.HSet(ctx, name+":r", rawKey(3), "\x01\x02\x03\x04"+rdb.HGet(ctx, name+":r", rawKey(3)).Val()[4:]).Err()
	}, []table.Problem{{Kind: table.Leftover, Key: hashOf(3)}}}
	return all
}

func stagedDamages() map[string]damage {
	all := damages(":s", ":x:", true)
	all["tombstone with an entry"] = damage{func(ctx context.Context, rdb *redis.Client, name string) error {
		return rdb.ZAdd(ctx, name+":x:at", score(0, 5)).Err() // 0 is discarded
	}, []table.Problem{{Kind: table.OrphanEntry, Key: hashOf(0), Index: "at", Staged: true}}}
	for what, stamp := range map[string]string{"earlier generation": "\x00\x00\x00\x00", "generation to come": "\x00\x00\x00\x09"} {
		all["leftover of "+what] = damage{func(ctx context.Context, rdb *redis.Client, name string) error {
			return rdb.HSet(ctx, name+":s", rawKey(3), stamp+rdb.HGet(ctx, name+":s", rawKey(3)).Val()[4:]).Err()
		}, []table.Problem{{Kind: table.Leftover, Key: hashOf(3), Staged: true}}}
	}
	return all
}

// wholeDamages are those of staged rows that stand for the whole table.
func wholeDamages() map[string]damage {
	all := stagedDamages()
	delete(all, "tombstone with an entry")
	all["tombstone"] = damage{func(ctx context.Context, rdb *redis.Client, name string) error {
		return rdb.HSet(ctx, name+":s", rawKey(77), "\x00\x00\x00\x01").Err()
	}, []table.Problem{{Kind: table.Leftover, Key: hashOf(77), Staged: true}, {Kind: table.WrongCount, Staged: true}}}
	return all
}

// leftDamages are staged things in a table where nothing is staged.
func leftDamages() map[string]damage {
	wrongCount := table.Problem{Kind: table.WrongCount, Staged: true}
	return map[string]damage{
		"staged row": {func(ctx context.Context, rdb *redis.Client, name string) error {
			return rdb.HSet(ctx, name+":s", rawKey(3), "\x00\x00\x00\x01abc").Err()
		}, []table.Problem{{Kind: table.Leftover, Key: hashOf(3), Staged: true}, wrongCount}},
		"tombstone": {func(ctx context.Context, rdb *redis.Client, name string) error {
			return rdb.HSet(ctx, name+":s", rawKey(3), "\x00\x00\x00\x01").Err()
		}, []table.Problem{{Kind: table.Leftover, Key: hashOf(3), Staged: true}, wrongCount}},
		"staged entry": {func(ctx context.Context, rdb *redis.Client, name string) error {
			return rdb.ZAdd(ctx, name+":x:rank", score(3, 1)).Err()
		}, []table.Problem{{Kind: table.OrphanEntry, Key: hashOf(3), Index: "rank", Staged: true}}},
	}
}

func TestVerifyFindsEachDamageAndRepairMendsIt(t *testing.T) {
	t.Parallel()
	merged := func(t *testing.T, tbl *items) { put(t, tbl, numbered(3, 5)...) }
	staged := func(t *testing.T, tbl *items) {
		put(t, tbl, numbered(0, 2)...)
		ok(t, tbl.ScratchPut(t.Context(), numbered(3, 5)...))
		_, err := tbl.ScratchDiscard(t.Context(), tbl.Range("at", 0, 10))
		ok(t, err)
	}
	whole := func(t *testing.T, tbl *items) {
		put(t, tbl, numbered(0, 2)...)
		wantDiscarded(t, tbl, tbl.All("at"), 2)
		ok(t, tbl.ScratchPut(t.Context(), numbered(3, 5)...))
	}
	for state, c := range map[string]struct {
		prepare func(*testing.T, *items)
		all     map[string]damage
	}{
		"clear":          {merged, mergedDamages()},
		"clear, left":    {merged, leftDamages()},
		"active":         {staged, stagedDamages()},
		"merging":        {func(t *testing.T, tbl *items) { staged(t, tbl); merge(t, tbl) }, stagedDamages()},
		"active, whole":  {whole, wholeDamages()},
		"merging, whole": {func(t *testing.T, tbl *items) { whole(t, tbl); merge(t, tbl) }, wholeDamages()},
	} {
		for what, d := range c.all {
			t.Run(state+"/"+what, func(t *testing.T) {
				t.Parallel()
				rdb, name, b := redistest.Shared(t).Client(t), redistest.Prefix(t), newBrake(t)
				tbl := openOn(t, rdb, name, table.WithCleanup(b.pool))
				c.prepare(t, tbl)
				ok(t, d.inject(t.Context(), rdb, name))
				wantProblems(t, tbl, d.want...)
				_, err := tbl.Repair(t.Context())
				ok(t, err)
				wantProblems(t, tbl)
				again, err := tbl.Repair(t.Context())
				ok(t, err)
				if !again.OK() {
					t.Errorf("a second Repair mended %+v", again.Problems)
				}
				b.release()
				wantAlive(t, tbl)
			})
		}
	}
}

func wantProblems(t testing.TB, tbl *items, want ...table.Problem) {
	t.Helper()
	got, err := tbl.Verify(t.Context())
	ok(t, err)
	order := func(a, b table.Problem) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) }
	slices.SortFunc(got.Problems, order)
	slices.SortFunc(want, order)
	if !slices.Equal(got.Problems, want) {
		t.Errorf("found %+v, want %+v", got.Problems, want)
	}
}

// wantAlive goes on with a table, whatever it contains, in its present state, and then opened again.
func wantAlive(t testing.TB, tbl *items) {
	t.Helper()
	ok(t, tbl.ScratchMerge(t.Context()))
	ok(t, tbl.WaitClear(t.Context()))
	put(t, tbl, numbered(20, 30)...)
	n, err := tbl.Count(t.Context(), tbl.All("rank"))
	ok(t, err)
	if got := len(ids(t, tbl, tbl.All("at"))); got != n || n < 10 {
		t.Errorf("%d records were read, %d counted", got, n)
	}
}

// A table whose every call has said ErrLost is repaired, opened again, and works.
func TestRepairALostTable(t *testing.T) {
	t.Parallel()
	for what, lose := range map[string]string{"rows": ":r", "an index": ":i:at", "another index": ":i:rank"} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
			tbl := openOn(t, rdb, name)
			put(t, tbl, numbered(0, 300)...)
			ok(t, rdb.Del(t.Context(), name+lose).Err())
			if tbl.Put(t.Context(), numbered(0, 1)...) == nil {
				t.Fatal("Put after a loss")
			}
			_, err := tbl.Repair(t.Context())
			ok(t, err)
			wantProblems(t, tbl)
			again := openOn(t, rdb, name)
			put(t, again, numbered(300, 301)...)
			want := 301
			if lose == ":r" {
				want = 1 // what is lost stays lost
			}
			if got := len(ids(t, again, again.All("at"))); got != want {
				t.Errorf("%d records, want %d", got, want)
			}
		})
	}
}

// What Repair has found wrong is put right by somebody else before it mends it: it leaves that alone.
func TestRepairLooksAgainBeforeItMends(t *testing.T) {
	t.Parallel()
	for what, d := range mergedDamages() {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			admin, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
			meddled := redistest.Shared(t).Client(t)
			tbl := openOn(t, meddled, name)
			put(t, tbl, append(numbered(3, 5), numbered(77, 78)...)...)
			sound := raw(t, admin, name)
			_, err := tbl.DeleteKeys(t.Context(), 77)
			ok(t, err)
			ok(t, d.inject(t.Context(), admin, name))
			meddled.AddHook(&meddler{before: func() { restore(t, admin, name, sound) }})
			mended, err := tbl.Repair(t.Context())
			ok(t, err)
			if !mended.OK() {
				t.Errorf("mended %+v", mended.Problems)
			}
			wantIDs(t, tbl, tbl.All("at"), 3, 4, 77)
			wantProblems(t, tbl)
		})
	}
}

func TestRepairLeavesALeftoverThatIsStagedMeanwhile(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl := openOn(t, rdb, name)
	ok(t, tbl.ScratchPut(t.Context(), numbered(5, 6)...))
	row := rdb.HGet(t.Context(), name+":s", rawKey(5)).Val()
	ok(t, tbl.ScratchAbort(t.Context()))
	ok(t, rdb.HSet(t.Context(), name+":s", rawKey(5), row).Err())
	ok(t, rdb.ZAdd(t.Context(), name+":x:at", score(5, 50)).Err())
	ok(t, rdb.ZAdd(t.Context(), name+":x:rank", score(5, 2)).Err())
	ok(t, rdb.HSet(t.Context(), name+":m", "staged", 1, "live", 1).Err())
	met := 0
	rdb.AddHook(&witness{part: "staged", after: func() { met++; report(t, tbl.ScratchPut(t.Context(), numbered(5, 6)...)) }})
	mended, err := tbl.Repair(t.Context())
	ok(t, err)
	if !mended.OK() {
		t.Errorf("mended %+v", mended.Problems)
	}
	ok(t, tbl.ScratchMerge(t.Context()))
	ok(t, tbl.WaitClear(t.Context()))
	wantIDs(t, tbl, tbl.All("at"), 5)
	if met != 1 {
		t.Errorf("%d calls read what is staged", met)
	}
}

// restore makes rows, entries and their count what they were.
func restore(t *testing.T, rdb *redis.Client, name string, to map[string]any) {
	_, err := rdb.TxPipelined(context.Background(), func(p redis.Pipeliner) error {
		for _, key := range []string{":r", ":i:at", ":i:rank"} {
			p.Del(t.Context(), name+key)
		}
		p.HSet(t.Context(), name+":r", to[":r"])
		p.ZAdd(t.Context(), name+":i:at", to[":i:at"].([]redis.Z)...)
		p.ZAdd(t.Context(), name+":i:rank", to[":i:rank"].([]redis.Z)...)
		return p.HSet(t.Context(), name+":m", "count", 3).Err()
	})
	report(t, err)
}

// meddler does something before each call that mends.
type meddler struct {
	counter
	before func()
}

func (m *meddler) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if mends(cmd) {
			m.before()
		}
		return next(ctx, cmd)
	}
}

// mends tells whether a command is a call that mends something: it names a remedy, and does not end with a number as an audit does.
func mends(cmd redis.Cmder) bool {
	args := cmd.Args()
	if _, audits := args[len(args)-1].(int); audits {
		return false
	}
	return slices.ContainsFunc(args, func(arg any) bool {
		text, is := arg.(string)
		return is && slices.Contains([]string{"orphan", "entry", "row", "leftover", "counts"}, strings.TrimPrefix(text, "staged "))
	})
}

// witness does something after each call of an audit that has read a part of the table.
type witness struct {
	counter
	part  string
	after func()
}

func (w *witness) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if slices.Contains(cmd.Args(), any(w.part)) && !mends(cmd) {
			w.after()
		}
		return err
	}
}

// Repair runs all the time while rows are damaged behind the table's back and put again: in the end every row is there.
func TestRepairRemovesNoSoundRow(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl := openOn(t, rdb, name, table.WithPageBytes(500))
	rows := numbered(0, 100)
	put(t, tbl, rows...)
	harm, repair, running := make(chan struct{}), make(chan struct{}), new(sync.WaitGroup)
	mended := 0
	running.Go(func() {
		repeat(repair, func() { r, err := tbl.Repair(t.Context()); report(t, err); mended += len(r.Problems) })
	})
	var harming sync.WaitGroup
	harming.Go(func() {
		n := int64(0)
		repeat(harm, func() {
			n++
			report(t, rdb.ZAddArgs(t.Context(), name+":i:at", redis.ZAddArgs{XX: true, Members: []redis.Z{score(n%100, -5)}}).Err())
			report(t, rdb.Eval(t.Context(), "if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then redis.call('HSET', KEYS[1], ARGV[1], 'bad') end return 1",
				[]string{name + ":r"}, rawKey((n*7)%100)).Err())
		})
	})
	for n := range 200 {
		put(t, tbl, rows[n%100])
		if n%20 == 0 {
			ok(t, tbl.ScratchPut(t.Context(), rows[:50]...))
			ok(t, tbl.ScratchMerge(t.Context()))
		}
	}
	close(harm)
	harming.Wait()
	for range 3 { // one by one: all of them are put while Repair judges what was there before
		for i := range rows {
			put(t, tbl, rows[i])
		}
	}
	close(repair)
	running.Wait()
	wantProblems(t, tbl)
	wantItems(t, all(t, tbl.Records(t.Context(), tbl.All("at"))), rows)
	if mended == 0 {
		t.Error("nothing was mended")
	}
}

// repeat calls until it is told to stop.
func repeat(stop <-chan struct{}, call func()) {
	for {
		select {
		case <-stop:
			return
		default:
			call()
		}
	}
}

func report(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// While a table is written, reloaded and read Verify finds nothing wrong with it, and Repair mends nothing.
func TestVerifyFindsNothingWhereNothingIsWrong(t *testing.T) {
	t.Parallel()
	tbl := openItems(t, table.WithPageBytes(2000)) // steps of few rows
	put(t, tbl, numbered(0, 300)...)
	stop, done := make(chan struct{}), new(sync.WaitGroup)
	done.Go(func() { work(t, tbl, stop) })
	rows := 0
	for range 30 {
		for _, check := range []func(context.Context) (table.Report, error){tbl.Verify, tbl.Repair} {
			r, err := check(t.Context())
			if err != nil || !r.OK() {
				t.Errorf("%+v, %v", r.Problems, err)
			}
			rows += r.Rows
		}
	}
	close(stop)
	done.Wait()
	if rows < 60*200 {
		t.Errorf("only %d rows were looked at", rows)
	}
}

// work puts, moves, deletes, stages, discards, aborts, merges and clears until it is told to stop.
func work(t *testing.T, tbl *items, stop <-chan struct{}) {
	for n := 0; ; n++ {
		rows := numbered(n%200, n%200+150)
		for i := range rows {
			rows[i].At += float64(n)
		}
		_, discarded := tbl.ScratchDiscard(t.Context(), tbl.Range("rank", 0, 1))
		errs := []error{discarded, tbl.ScratchPut(t.Context(), rows...)}
		if n%3 == 0 {
			errs = append(errs, tbl.ScratchAbort(t.Context()))
		} else {
			errs = append(errs, tbl.ScratchMerge(t.Context()))
		}
		_, deleted := tbl.DeleteKeys(t.Context(), int64(n%300))
		errs = append(errs, deleted, tbl.Put(t.Context(), rows[:50]...))
		if n%10 == 9 {
			errs = append(errs, tbl.Clear(t.Context()), tbl.Put(t.Context(), numbered(0, 300)...))
		}
		for _, err := range errs {
			if err != nil {
				t.Error(err)
				return
			}
		}
		select {
		case <-stop:
			return
		default:
		}
	}
}
