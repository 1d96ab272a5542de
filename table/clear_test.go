package table_test

import (
	"context"
	"errors"
	"testing"

	"github.com/tablecache-go/tablecache/table"
)

func TestD11_ClearRunsInAnyState(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(*testing.T, *items){
		"clear":  func(*testing.T, *items) {},
		"active": func(t *testing.T, tbl *items) { ok(t, tbl.ScratchPut(t.Context(), numbered(1, 5)...)) },
		"merging": func(t *testing.T, tbl *items) {
			ok(t, tbl.ScratchPut(t.Context(), numbered(1, 5)...))
			merge(t, tbl)
		},
		"active, whole":  stageWhole,
		"merging, whole": func(t *testing.T, tbl *items) { stageWhole(t, tbl); merge(t, tbl) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tbl, brake := openBraked(t)
			put(t, tbl, numbered(0, 3)...)
			prepare(t, tbl)
			gen := stats(t, tbl).Generation
			ok(t, tbl.Clear(t.Context()))
			if s := stats(t, tbl); s.State != table.StateClear || s.Records+s.Staged != 0 || s.Generation != gen {
				t.Errorf("after clearing: %+v, want generation %d", s, gen)
			}
			wantIDs(t, tbl, tbl.All("at"))
			brake.release() // a late fold finds nothing to do
			put(t, tbl, numbered(7, 8)...)
			ok(t, tbl.ScratchPut(t.Context(), numbered(8, 9)...))
			mergeAndFold(t, tbl)
			wantIDs(t, tbl, tbl.All("rank"), 7, 8)
		})
	}
}

func TestD11_WaitingWritesGoOnAfterClear(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 3)...)
	ok(t, tbl.ScratchPut(t.Context(), numbered(3, 4)...))
	done := async(t, func() error { return tbl.Put(t.Context(), numbered(5, 6)...) })
	waiting(t, tbl, 1)
	ok(t, tbl.Clear(t.Context()))
	ok(t, receive(t, "the waiting Put", done))
	wantIDs(t, tbl, tbl.All("at"), 5)
}

func TestD11_ARunningFoldEnds(t *testing.T) {
	t.Parallel()
	tbl, brake := openBraked(t)
	stagedLoad(t, tbl)
	merge(t, tbl)
	brake.turnUntilHalf(t, tbl)
	ok(t, tbl.Clear(t.Context()))
	wantState(t, tbl, table.StateClear)
	put(t, tbl, numbered(0, 1)...)
	brake.release()
	ok(t, tbl.WaitClear(t.Context()))
	wantIDs(t, tbl, tbl.All("at"), 0)
}

func TestD11_RunningSequencesEnd(t *testing.T) {
	t.Parallel()
	t.Run("DeleteSeq", func(t *testing.T) {
		t.Parallel()
		tbl := openItems(t)
		put(t, tbl, numbered(0, 2500)...)
		n := 0
		for _, err := range tbl.DeleteSeq(t.Context(), tbl.All("at")) {
			ok(t, err)
			if n++; n == 1 {
				ok(t, tbl.Clear(t.Context()))
				put(t, tbl, numbered(2400, 2401)...)
			}
		}
		if n > 1000 {
			t.Errorf("%d records came, more than the first page", n)
		}
		wantIDs(t, tbl, tbl.All("at"), 2400)
	})
	t.Run("ScratchDiscardSeq", func(t *testing.T) {
		t.Parallel()
		tbl := openItems(t)
		put(t, tbl, numbered(0, 2500)...)
		var last error
		n := 0
		for _, err := range tbl.ScratchDiscardSeq(t.Context(), tbl.All("at")) {
			if last = err; n == 0 {
				ok(t, tbl.Clear(t.Context()))
			}
			n++
		}
		if last != nil && !errors.Is(last, table.ErrScratchAborted) {
			t.Errorf("got %v, want the end or ErrScratchAborted", last)
		}
		wantState(t, tbl, table.StateClear)
	})
}

func TestClearWithAnEndedContextDoesNothing(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 3)...)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := tbl.Clear(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	wantIDs(t, tbl, tbl.All("at"), 0, 1, 2)
}
