package table_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

func wantDiscarded(t testing.TB, tbl *items, s table.Spec[item], want int) {
	t.Helper()
	n, err := tbl.ScratchDiscard(t.Context(), s)
	ok(t, err)
	if n != want {
		t.Errorf("discarded %d of %v, want %d", n, s.Intervals, want)
	}
}

func mergeAndFold(t testing.TB, tbl *items) {
	t.Helper()
	ok(t, tbl.ScratchMerge(t.Context()))
	ok(t, tbl.WaitClear(t.Context()))
}

func TestD8_DiscardSeesTheStagedView(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 6)...)
	ok(t, tbl.ScratchPut(t.Context(), item{ID: 1, At: 50.5}, item{ID: 9, At: 12}))
	wantDiscarded(t, tbl, tbl.Range("at", 0, 20), 2)  // 0 and 9, not 1, which moved away
	wantDiscarded(t, tbl, tbl.Range("at", 0, 20), 0)  // they are gone already
	wantDiscarded(t, tbl, tbl.Range("at", 50, 51), 2) // 5, and 1 at its new score
	wantIDs(t, tbl, tbl.All("at"), 0, 1, 2, 3, 4, 5)
	mergeAndFold(t, tbl)
	wantIDs(t, tbl, tbl.All("at"), 2, 3, 4)
}

func TestD8_DiscardJudgesTheStagedVersion(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 4)...)
	ok(t, tbl.ScratchPut(t.Context(), item{ID: 2, Name: "new", At: 20}))
	named := func(name string) func(*item) bool { return func(i *item) bool { return i.Name == name } }
	wantDiscarded(t, tbl, tbl.All("at").Where(named("n2")), 0)
	wantDiscarded(t, tbl, tbl.All("at").Where(named("new")), 1)
	wantDiscarded(t, tbl, tbl.All("rank").Reversed().Max(1), 1) // 1: 2 is gone, and it is before 0 and 3
	mergeAndFold(t, tbl)
	wantIDs(t, tbl, tbl.All("at"), 0, 3)
}

func TestD8_PuttingADiscardedKeyAgainRevivesIt(t *testing.T) {
	t.Parallel()
	for name, again := range map[string]item{
		"as it was": numbered(2, 3)[0],
		"moved":     {ID: 2, Name: "again", At: 500, Rank: -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tbl, brake := openBraked(t)
			put(t, tbl, numbered(0, 4)...)
			wantDiscarded(t, tbl, tbl.All("at"), 4)
			ok(t, tbl.ScratchPut(t.Context(), again))
			merge(t, tbl)
			wantItems(t, all(t, tbl.Records(t.Context(), tbl.All("rank"))), []item{again})
			brake.release()
			ok(t, tbl.WaitClear(t.Context()))
			wantItems(t, all(t, tbl.Records(t.Context(), tbl.All("at"))), []item{again})
		})
	}
}

func TestD8_AKeyThatWasOnlyStagedMayBeDiscarded(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 2)...)
	ok(t, tbl.ScratchPut(t.Context(), numbered(5, 8)...))
	wantDiscarded(t, tbl, tbl.Range("at", 50, 70), 2)
	mergeAndFold(t, tbl)
	wantIDs(t, tbl, tbl.All("at"), 0, 1, 7)
}

func TestD8_DiscardEverythingAndReload(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 2300)...)
	wantDiscarded(t, tbl, tbl.All("rank"), 2300)
	fresh := numbered(2000, 4100)
	ok(t, tbl.ScratchPut(t.Context(), fresh...))
	wantCount(t, tbl, tbl.All("at"), 2300)
	mergeAndFold(t, tbl)
	if got := ids(t, tbl, tbl.All("at")); !slices.Equal(got, keysOf(fresh)) {
		t.Errorf("got %d records, want the %d fresh ones", len(got), len(fresh))
	}
}

func TestScratchMayBeMergedTwiceAndOverAndOver(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	for round := range 5 {
		ok(t, tbl.ScratchPut(t.Context(), item{ID: 1, At: float64(round)}, item{ID: int64(round + 10)}))
		ok(t, tbl.ScratchMerge(t.Context()))
		ok(t, tbl.ScratchMerge(t.Context())) // nothing is staged any more
		wantIDs(t, tbl, tbl.Range("at", float64(round), float64(round)+0.5).Where(func(i *item) bool { return i.ID == 1 }), 1)
	}
	ok(t, tbl.WaitClear(t.Context()))
	if s := stats(t, tbl); s.Generation != 5 || s.Records != 6 {
		t.Errorf("after five merges: %+v", s)
	}
}

func TestGenerationsAreExhaustedBeforeTheyWrap(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	first := openOn(t, rdb, name)
	put(t, first, numbered(0, 3)...)
	ok(t, first.Close())
	ok(t, rdb.HSet(t.Context(), name+":m", "gen", "4294967294").Err())
	tbl := openOn(t, rdb, name)
	ok(t, tbl.ScratchPut(t.Context(), numbered(3, 5)...))
	mergeAndFold(t, tbl) // the last one
	if g := stats(t, tbl).Generation; g != 4294967295 {
		t.Fatalf("generation %d", g)
	}
	before := dump(t, rdb, name)
	err := tbl.ScratchPut(t.Context(), numbered(5, 6)...)
	_, derr := tbl.ScratchDiscard(t.Context(), tbl.All("at"))
	for what, err := range map[string]error{"put": err, "discard": derr} {
		if !errors.Is(err, table.ErrGenerationsExhausted) {
			t.Errorf("%s: got %v, want ErrGenerationsExhausted", what, err)
		}
	}
	wantUntouched(t, rdb, name, before)
	wantState(t, tbl, table.StateClear)
	put(t, tbl, numbered(7, 8)...) // regular writes need no generation
	wantIDs(t, tbl, tbl.All("at"), 0, 1, 2, 3, 4, 7)
}

// A discarded row stays away after the merge, whatever bytes its key has.
func TestU01_ADiscardedRowWithABinaryKeyStaysAway(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	var rows []item
	for n, id := range []int64{0, 10, 13, 0x0d0a0d0a, -1, math.MinInt64, 0x2a0d0a2431} {
		rows = append(rows, item{ID: id, At: float64(n)})
	}
	put(t, tbl, rows...)
	n, err := tbl.ScratchDiscard(t.Context(), tbl.Range("at", 0, 6))
	ok(t, err)
	ok(t, tbl.ScratchMerge(t.Context()))
	ok(t, tbl.WaitClear(t.Context()))
	wantIDs(t, tbl, tbl.All("at"), 0x2a0d0a2431)
	if n != 6 {
		t.Errorf("%d discarded, want 6", n)
	}
}

// A discard of an interval leaves alone what a staged put has moved out of it.
func TestU17_ADiscardSparesWhatHasMovedAway(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, item{ID: 1, At: 5}, item{ID: 2, At: 6})
	ok(t, tbl.ScratchPut(t.Context(), item{ID: 1, At: 50}))
	n, err := tbl.ScratchDiscard(t.Context(), tbl.Range("at", 0, 10))
	ok(t, err)
	ok(t, tbl.ScratchMerge(t.Context()))
	wantIDs(t, tbl, tbl.All("at"), 1)
	if n != 1 {
		t.Errorf("%d discarded, want 1", n)
	}
	ok(t, tbl.WaitClear(t.Context()))
}
