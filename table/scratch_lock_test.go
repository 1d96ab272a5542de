package table_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

func TestD1_RegularWritesRunWhileClear(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 4)...)
	n, err := tbl.DeleteKeys(t.Context(), 0)
	ok(t, err)
	m, err := tbl.Delete(t.Context(), tbl.Range("at", 10, 20))
	ok(t, err)
	if n != 1 || m != 1 {
		t.Errorf("deleted %d and %d, want 1 and 1", n, m)
	}
	wantState(t, tbl, table.StateClear)
	wantIDs(t, tbl, tbl.All("at"), 2, 3)
}

func TestD1_TheFirstScratchWriteThatMarksSomethingMakesItActive(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]struct {
		write func(context.Context, *items) error
		want  table.State
	}{
		"put":              {func(ctx context.Context, i *items) error { return i.ScratchPut(ctx, numbered(9, 10)...) }, table.StateActive},
		"discard":          {discard(0, 20), table.StateActive},
		"put nothing":      {func(ctx context.Context, i *items) error { return i.ScratchPut(ctx) }, table.StateClear},
		"discard nothing":  {discard(500, 600), table.StateClear},
		"discard no specs": {discard(20, 20), table.StateClear},
		"merge nothing":    {func(ctx context.Context, i *items) error { return i.ScratchMerge(ctx) }, table.StateClear},
		"abort nothing":    {func(ctx context.Context, i *items) error { return i.ScratchAbort(ctx) }, table.StateClear},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tbl := openItems(t)
			put(t, tbl, numbered(0, 5)...)
			ok(t, f.write(t.Context(), tbl))
			wantState(t, tbl, f.want)
			if g := stats(t, tbl).Generation; g != 0 {
				t.Errorf("generation is %d, want 0", g)
			}
		})
	}
}

func discard(ge, lt float64) func(context.Context, *items) error {
	return func(ctx context.Context, i *items) error {
		_, err := i.ScratchDiscard(ctx, i.Range("at", ge, lt))
		return err
	}
}

func TestD2_ScratchWritesLeaveMergedRowsAlone(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl := openOn(t, rdb, name)
	put(t, tbl, numbered(0, 5)...)
	before := dump(t, rdb, name)
	moved := item{ID: 1, Name: "moved", At: 99, Rank: 7}
	ok(t, tbl.ScratchPut(t.Context(), append(numbered(5, 8), moved)...))
	ok(t, discard(0, 20)(t.Context(), tbl))
	wantUntouched(t, rdb, name, before, ":r", ":i:at", ":i:rank")
	wantIDs(t, tbl, tbl.All("at"), 0, 1, 2, 3, 4)
}

// regularWrites are all that must wait while scratch is active or merging. Each leaves item 100 as it says.
func regularWrites() map[string]func(context.Context, *items) error {
	return map[string]func(context.Context, *items) error{
		"Put":        func(ctx context.Context, i *items) error { return i.Put(ctx, numbered(100, 101)...) },
		"DeleteKeys": func(ctx context.Context, i *items) error { _, err := i.DeleteKeys(ctx, 0); return err },
		"Delete":     func(ctx context.Context, i *items) error { _, err := i.Delete(ctx, i.Range("at", 0, 10)); return err },
		"Apply": func(ctx context.Context, i *items) error {
			return i.Apply(ctx, batch{Put: numbered(100, 101), Delete: []int64{0}, Note: []byte("n")})
		},
		"Update":    func(ctx context.Context, i *items) error { return i.Update(ctx, 0, renamed("u")) },
		"DeleteSeq": func(ctx context.Context, i *items) error { return lastError(i.DeleteSeq(ctx, i.Range("at", 0, 10))) },
	}
}

func scratchWrites() map[string]func(context.Context, *items) error {
	return map[string]func(context.Context, *items) error{
		"ScratchPut":     func(ctx context.Context, i *items) error { return i.ScratchPut(ctx, numbered(100, 101)...) },
		"ScratchDiscard": discard(0, 10),
		"ScratchDiscardSeq": func(ctx context.Context, i *items) error {
			return lastError(i.ScratchDiscardSeq(ctx, i.Range("at", 0, 10)))
		},
	}
}

func TestD2_RegularWritesWaitWhileScratchIsActive(t *testing.T) {
	t.Parallel()
	for name, write := range regularWrites() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tbl := openItems(t)
			put(t, tbl, numbered(0, 3)...)
			ok(t, tbl.ScratchPut(t.Context(), numbered(3, 4)...))
			done := async(t, func() error { return write(t.Context(), tbl) })
			stillWaits(t, tbl, done)
			wantIDs(t, tbl, tbl.All("at"), 0, 1, 2)
			ok(t, tbl.ScratchMerge(t.Context()))
			ok(t, receive(t, name, done))
		})
	}
}

func TestD3_AllWritesWaitWhileMerging(t *testing.T) {
	t.Parallel()
	writes := regularWrites()
	for name, write := range scratchWrites() {
		writes[name] = write
	}
	for name, write := range writes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tbl, brake := openBraked(t)
			put(t, tbl, numbered(0, 3)...)
			ok(t, tbl.ScratchPut(t.Context(), numbered(3, 4)...))
			merge(t, tbl)
			done := async(t, func() error { return write(t.Context(), tbl) })
			stillWaits(t, tbl, done)
			wantIDs(t, tbl, tbl.All("at"), 0, 1, 2, 3)
			brake.release()
			ok(t, receive(t, name, done))
		})
	}
}

// stillWaits checks that a call does not end by itself: the table answers others meanwhile.
func stillWaits(t testing.TB, tbl *items, done <-chan error) {
	t.Helper()
	for range 20 {
		stats(t, tbl)
		select {
		case err := <-done:
			t.Fatalf("did not wait: %v", err)
		default:
		}
	}
}

func TestD3_TheGenerationGrowsAtTheMergeAndTheFoldMakesItClear(t *testing.T) {
	t.Parallel()
	tbl, brake := openBraked(t)
	ok(t, tbl.ScratchPut(t.Context(), numbered(0, 3)...))
	merge(t, tbl)
	if s := stats(t, tbl); s.Generation != 1 || s.Staged != 3 || s.Records != 0 {
		t.Errorf("after the merge: %+v", s)
	}
	done := async(t, func() error { return tbl.WaitClear(t.Context()) })
	stillWaits(t, tbl, done)
	brake.release()
	ok(t, receive(t, "WaitClear", done))
	if s := stats(t, tbl); s.State != table.StateClear || s.Generation != 1 || s.Staged != 0 || s.Records != 3 {
		t.Errorf("after the fold: %+v", s)
	}
}

func TestD9_AWaitingCallWhoseContextEndsHasDoneNothing(t *testing.T) {
	t.Parallel()
	for name, write := range regularWrites() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tbl := openItems(t)
			put(t, tbl, numbered(0, 3)...)
			ok(t, tbl.ScratchPut(t.Context(), numbered(3, 4)...))
			wantCancelled(t, tbl, write)
			ok(t, tbl.ScratchMerge(t.Context()))
			ok(t, tbl.WaitClear(t.Context()))
			wantIDs(t, tbl, tbl.All("at"), 0, 1, 2, 3)
		})
	}
}

func TestD9_AWaitingScratchCallWhoseContextEndsHasDoneNothing(t *testing.T) {
	t.Parallel()
	for name, write := range scratchWrites() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tbl, brake := openBraked(t)
			put(t, tbl, numbered(0, 3)...)
			ok(t, tbl.ScratchPut(t.Context(), numbered(3, 4)...))
			merge(t, tbl)
			wantCancelled(t, tbl, write)
			brake.release()
			ok(t, tbl.WaitClear(t.Context()))
			ok(t, tbl.ScratchMerge(t.Context()))
			wantState(t, tbl, table.StateClear)
			wantIDs(t, tbl, tbl.All("at"), 0, 1, 2, 3)
		})
	}
}

// wantCancelled lets a call wait, and ends its context.
func wantCancelled(t *testing.T, tbl *items, write func(context.Context, *items) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := async(t, func() error { return write(ctx, tbl) })
	stillWaits(t, tbl, done)
	cancel()
	err := receive(t, "the cancelled call", done)
	if !errors.Is(err, context.Canceled) || errors.Is(err, table.ErrUnknownOutcome) {
		t.Errorf("got %v, want context.Canceled and a known outcome", err)
	}
}

func TestD10_WaitingWritesGoOnInOrderOfArrival(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	ok(t, tbl.ScratchPut(t.Context(), numbered(0, 1)...))
	var calls []<-chan error
	for i := range 20 {
		record := item{ID: 7, Name: string(rune('a' + i)), At: float64(i)}
		calls = append(calls, async(t, func() error { return tbl.Put(t.Context(), record) }))
		waiting(t, tbl, i+1)
	}
	ok(t, tbl.ScratchMerge(t.Context()))
	for _, done := range calls {
		ok(t, receive(t, "a waiting Put", done))
	}
	last, err := tbl.Get(t.Context(), 7)
	ok(t, err)
	if last.Name != "t" {
		t.Errorf("the last to arrive was t, but %s is stored", last.Name)
	}
}

func TestD10_MoreWaitingPutsThanTheMailboxHoldsStandInNobodysWay(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*items) error{
		"merge": func(i *items) error { return i.ScratchMerge(t.Context()) },
		"abort": func(i *items) error { return i.ScratchAbort(t.Context()) },
		"clear": func(i *items) error { return i.Clear(t.Context()) },
		"close": func(i *items) error { return i.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tbl := openItems(t, table.WithMailbox(2))
			ok(t, tbl.ScratchPut(t.Context(), numbered(0, 1)...))
			var calls []<-chan error
			for i := range 10 {
				calls = append(calls, async(t, func() error { return tbl.Put(t.Context(), numbered(i, i+1)...) }))
			}
			until(t, "the mailbox to fill", func() bool { return stats(t, tbl).Mailbox >= 2 })
			ok(t, tbl.ScratchPut(t.Context(), numbered(20, 21)...))
			ok(t, end(tbl))
			for _, done := range calls {
				err := receive(t, "a waiting Put", done)
				if closed := errors.Is(err, table.ErrClosed); closed != (name == "close") || (!closed && err != nil) {
					t.Errorf("a waiting Put got %v", err)
				}
			}
			if name != "close" && !slices.Contains(ids(t, tbl, tbl.All("at")), 9) {
				t.Error("a Put is not there")
			}
		})
	}
}
