package table_test

import (
	"slices"
	"testing"
)

// A reload that stages most rows at the scores they had: every second entry that a page looks at is hidden by its twin.
func TestG3_APageOverAMergeMayEndBetweenARowAndItsTwin(t *testing.T) {
	t.Parallel()
	tbl, _ := openBraked(t)
	rows := numbered(0, 2500)
	put(t, tbl, rows...)
	ok(t, discard(0, 5)(t.Context(), tbl)) // one hidden entry alone, so that pages of an even size end within a pair
	ok(t, tbl.ScratchPut(t.Context(), rows[1:]...))
	merge(t, tbl)
	want := keysOf(rows[1:])
	for _, index := range []string{"at", "rank"} {
		up, down := ids(t, tbl, tbl.All(index)), ids(t, tbl, tbl.All(index).Reversed())
		slices.Reverse(down)
		if !slices.Equal(up, down) {
			t.Errorf("by %s: the way down is not the reverse of the way up", index)
		}
		slices.Sort(up)
		if !slices.Equal(up, want) {
			t.Errorf("by %s: got %d records, want %d", index, len(up), len(want))
		}
	}
}
