package table_test

import (
	"testing"
)

// A row that a staged put has moved answers at its new score only, and an index has one entry for it.
func TestU02_AStagedPutMovesARow(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, item{ID: 1, At: 5}, item{ID: 2, At: 6})
	ok(t, tbl.ScratchPut(t.Context(), item{ID: 1, At: 50}))
	ok(t, tbl.ScratchMerge(t.Context()))
	for range 2 { // while it is folded, and after that
		wantIDs(t, tbl, tbl.Range("at", 0, 10), 2)
		wantIDs(t, tbl, tbl.All("at"), 2, 1)
		ok(t, tbl.WaitClear(t.Context()))
	}
}

// The same row may be refreshed twice, in one scratch or in two, and writes go on.
func TestU03_TheSameRowIsRefreshedTwice(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 3)...)
	for range 2 {
		ok(t, tbl.ScratchPut(t.Context(), numbered(1, 2)...))
		ok(t, tbl.ScratchPut(t.Context(), numbered(1, 2)...))
		ok(t, tbl.ScratchMerge(t.Context()))
	}
	put(t, tbl, numbered(1, 2)...)
	wantIDs(t, tbl, tbl.All("at"), 0, 1, 2)
}

// Merging twice is no failure.
func TestU24_MergingTwice(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	ok(t, tbl.ScratchPut(t.Context(), numbered(0, 3)...))
	for range 3 {
		ok(t, tbl.ScratchMerge(t.Context()))
	}
	ok(t, tbl.WaitClear(t.Context()))
	wantIDs(t, tbl, tbl.All("at"), 0, 1, 2)
	if g := stats(t, tbl).Generation; g != 1 {
		t.Errorf("generation %d after one merge of something", g)
	}
}
