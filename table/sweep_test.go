package table_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/tablecache-go/tablecache/table"
)

func TestDeleteSeqHoldsNoLockWhileTheBodyRuns(t *testing.T) {
	t.Parallel()
	tbl := openItems(t, smallPages())
	put(t, tbl, numbered(0, 500)...)
	n := 0
	for i, err := range tbl.DeleteSeq(t.Context(), tbl.All("at")) {
		ok(t, err)
		if _, err := tbl.Get(t.Context(), i.ID); !errors.Is(err, table.ErrNotFound) {
			t.Fatalf("%d was yielded but is there: %v", i.ID, err)
		}
		if n++; n%100 == 1 {
			put(t, tbl, item{ID: -1, At: -1}) // behind, where it does not look any more
			ok(t, lastError(tbl.Records(t.Context(), tbl.All("rank"))))
		}
	}
	if n != 500 {
		t.Errorf("%d records were deleted, want 500", n)
	}
	wantIDs(t, tbl, tbl.All("at"), -1)
}

// Where the body puts back what it is given, higher up, the sequence comes by again.
func TestSweepsVisitEachKeyOnce(t *testing.T) {
	t.Parallel()
	for name, sweep := range map[string]func(*items, context.Context) func(func(item, error) bool){
		"delete": func(tbl *items, ctx context.Context) func(func(item, error) bool) {
			return tbl.DeleteSeq(ctx, tbl.All("at"))
		},
		"discard": func(tbl *items, ctx context.Context) func(func(item, error) bool) {
			return tbl.ScratchDiscardSeq(ctx, tbl.All("at"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tbl := openItems(t, smallPages())
			put(t, tbl, numbered(0, 400)...)
			again := tbl.Put
			if name == "discard" {
				again = tbl.ScratchPut
			}
			var seen []int64
			for i, err := range sweep(tbl, t.Context()) {
				ok(t, err)
				seen = append(seen, i.ID)
				i.At += 5000
				ok(t, again(t.Context(), i))
			}
			if !slices.Equal(seen, keysOf(numbered(0, 400))) {
				t.Errorf("%d visits of 400 records", len(seen))
			}
			mergeAndFold(t, tbl)
			wantIDs(t, tbl, tbl.Range("at", 0, 5000))
			wantCount(t, tbl, tbl.All("at"), 400)
		})
	}
}

// What is judged and then changed before it is marked is judged again: here by the predicate, which changes it.
func TestADeleteJudgesAgainWhatHasChangedSince(t *testing.T) {
	t.Parallel()
	for name, n := range map[string]int{"one page": 10, "many pages": 600} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tbl := openItems(t, smallPages())
			put(t, tbl, numbered(0, n)...)
			changes := map[int64]item{
				3: {ID: 3, Name: "keep", At: 30},  // it does not pass any more
				5: {ID: 5, Name: "other", At: 50}, // it still does
				7: {ID: 7, Name: "n7", At: -10},   // it has left the interval
			}
			var deleted []item
			for i, err := range tbl.DeleteSeq(t.Context(), tbl.Range("at", 0, 1e9).Where(func(i *item) bool {
				if changed, there := changes[i.ID]; there {
					delete(changes, i.ID)
					put(t, tbl, changed)
				}
				return i.Name != "keep"
			})) {
				ok(t, err)
				deleted = append(deleted, i)
			}
			wantIDs(t, tbl, tbl.All("at"), 7, 3)
			want := slices.DeleteFunc(numbered(0, n), func(i item) bool { return i.ID == 3 || i.ID == 7 })
			want[slices.IndexFunc(want, func(i item) bool { return i.ID == 5 })] = item{ID: 5, Name: "other", At: 50}
			slices.SortStableFunc(deleted, func(a, b item) int { return int(a.ID - b.ID) })
			wantItems(t, deleted, want)
		})
	}
}

func TestADeleteOfAKeyThatVanishesYieldsItNot(t *testing.T) {
	t.Parallel()
	tbl := openItems(t, smallPages())
	put(t, tbl, numbered(0, 300)...)
	n, err := tbl.Delete(t.Context(), tbl.All("at").Where(func(i *item) bool {
		if i.ID == 2 {
			_, err := tbl.DeleteKeys(t.Context(), 2)
			ok(t, err)
		}
		return true
	}))
	ok(t, err)
	if n != 299 {
		t.Errorf("deleted %d, want 299", n)
	}
}

func TestASweepEndsWithItsContext(t *testing.T) {
	t.Parallel()
	tbl := openItems(t, smallPages())
	put(t, tbl, numbered(0, 1000)...)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n, last := 0, error(nil)
	for _, last = range tbl.DeleteSeq(ctx, tbl.All("at")) {
		n++
		cancel()
	}
	if !errors.Is(last, context.Canceled) || n < 2 {
		t.Errorf("%d were yielded, then %v", n-1, last)
	}
	left := ids(t, tbl, tbl.All("at"))
	if gone := 1000 - len(left); gone < n-1 || gone > 500 || !slices.Equal(left, keysOf(numbered(gone, 1000))) {
		t.Errorf("%d are gone and %d were yielded, want those of one page", gone, n-1)
	}
}

func TestASweepEndsWithItsSession(t *testing.T) {
	t.Parallel()
	ends := map[string]struct {
		end  func(*items, context.Context) error
		want error
	}{
		"merged":  {(*items).ScratchMerge, table.ErrScratchMerged},
		"aborted": {(*items).ScratchAbort, table.ErrScratchAborted},
		"cleared": {(*items).Clear, table.ErrScratchAborted},
		"merged and begun again": {func(tbl *items, ctx context.Context) error {
			return errors.Join(tbl.ScratchMerge(ctx), tbl.ScratchPut(ctx, item{ID: 7000}))
		}, table.ErrScratchMerged},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tbl := openItems(t, smallPages())
			put(t, tbl, numbered(0, 1000)...)
			n, last := 0, error(nil)
			for _, last = range tbl.ScratchDiscardSeq(t.Context(), tbl.All("at")) {
				if n++; n == 1 {
					ok(t, end.end(tbl, t.Context()))
				}
			}
			if !errors.Is(last, end.want) || n == 1000 {
				t.Errorf("%d were yielded, then %v, want %v", n-1, last, end.want)
			}
			state := stats(t, tbl).State
			if begun := name == "merged and begun again"; begun != (state == table.StateActive) {
				t.Errorf("the table is %v", state)
			}
			ok(t, tbl.ScratchAbort(t.Context()))
		})
	}
}

func TestAPredicateThatPanicsIsToldOnceAndItsRecordStays(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 10)...)
	bad, n, disturbed := 0, 0, false
	for _, err := range tbl.DeleteSeq(t.Context(), tbl.All("at").Where(func(i *item) bool {
		if i.ID == 4 {
			panic("no")
		}
		if !disturbed { // so that the whole page is judged again
			disturbed = true
			put(t, tbl, item{ID: 20, At: 200})
		}
		return true
	})) {
		if err == nil {
			n++
			continue
		}
		if bad++; !errors.Is(err, table.ErrPanic) {
			t.Errorf("got %v, want ErrPanic", err)
		}
	}
	if bad != 1 || n != 10 {
		t.Errorf("%d errors and %d records, want 1 and 10", bad, n)
	}
	wantIDs(t, tbl, tbl.All("at"), 4)
}

// The page behind the one at hand has been read when the loop body runs; what the body changes there must be judged anew.
func TestG4_ASweepJudgesWhatItsBodyChanges(t *testing.T) {
	t.Parallel()
	tbl := openItems(t, smallPages())
	put(t, tbl, numbered(0, 300)...)
	s := tbl.All("at").Where(func(i *item) bool { return i.Rank >= 0 })
	var changed []int64
	for i, err := range tbl.DeleteSeq(t.Context(), s) {
		ok(t, err)
		if id := i.ID + 40; i.ID%10 == 0 && id < 300 { // on the next page, or on this one, which is deleted
			late := numbered(int(id), int(id)+1)[0]
			late.Rank = -1
			put(t, tbl, late)
			changed = append(changed, id)
		}
	}
	for _, id := range changed {
		if _, err := tbl.Get(t.Context(), id); err != nil {
			t.Errorf("%d: %v", id, err)
		}
	}
	if n, err := tbl.Count(t.Context(), tbl.All("at")); err != nil || n != len(changed) {
		t.Errorf("%d records are left, %v, want %d", n, err, len(changed))
	}
}
