package table_test

import (
	"context"
	"errors"
	"iter"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// everyCall are all calls of a table that may fail.
func everyCall(tbl *items) map[string]func(context.Context) error {
	calls := allReads(tbl)
	for _, writes := range []map[string]func(context.Context, *items) error{regularWrites(), scratchWrites()} {
		for name, write := range writes {
			calls[name] = func(ctx context.Context) error { return write(ctx, tbl) }
		}
	}
	for name, call := range map[string]func(context.Context) error{
		"ScratchMerge": tbl.ScratchMerge, "ScratchAbort": tbl.ScratchAbort, "WaitClear": tbl.WaitClear, "Clear": tbl.Clear,
		"Repair":      func(ctx context.Context) error { _, err := tbl.Repair(ctx); return err },
		"Put nothing": func(ctx context.Context) error { return tbl.Put(ctx) },
	} {
		calls[name] = call
	}
	return calls
}

func TestG13_AClosedTableRefusesEveryCall(t *testing.T) {
	t.Parallel()
	rdb, sent := counted(t)
	tbl := openOn(t, rdb, redistest.Prefix(t))
	put(t, tbl, numbered(0, 3)...)
	ok(t, tbl.Close())
	before := sent.n.Load()
	for name, call := range everyCall(tbl) {
		if err := call(t.Context()); !errors.Is(err, table.ErrClosed) {
			t.Errorf("%s: got %v, want ErrClosed", name, err)
		}
	}
	if n := sent.n.Load() - before; n != 0 {
		t.Errorf("%d commands were sent", n)
	}
	if tbl.Name() == "" || tbl.All("at").Index != "at" {
		t.Error("what needs no Redis has gone too")
	}
}

func TestG13_CloseIsIdempotentAndWaitsEachTime(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { ok(t, tbl.Close()) })
	}
	all.Wait()
	ok(t, tbl.Close())
}

// Calls that wait for the lock, for the fold and for a pin end with ErrClosed, having done nothing.
func TestG13_CloseEndsWhatWaits(t *testing.T) {
	t.Parallel()
	for state, prepare := range map[string]func(*testing.T, *items){
		"active":  func(*testing.T, *items) {},
		"merging": func(t *testing.T, tbl *items) { merge(t, tbl) },
	} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			tbl, _ := openBraked(t)
			put(t, tbl, numbered(0, 3)...)
			ok(t, tbl.ScratchPut(t.Context(), numbered(3, 4)...))
			prepare(t, tbl)
			calls := regularWrites()
			calls["WaitClear"] = func(ctx context.Context, i *items) error { return i.WaitClear(ctx) }
			ended := make(map[string]<-chan error)
			for name, call := range calls {
				ended[name] = async(t, func() error { return call(t.Context(), tbl) })
				stillWaits(t, tbl, ended[name])
			}
			ok(t, tbl.Close())
			for name, done := range ended {
				err := receive(t, name, done)
				if !errors.Is(err, table.ErrClosed) || errors.Is(err, table.ErrUnknownOutcome) {
					t.Errorf("%s: got %v, want ErrClosed", name, err)
				}
			}
		})
	}
}

func TestG13_CloseEndsReadsThatAreUnderWay(t *testing.T) {
	t.Parallel()
	tbl := openItems(t, smallPages(), table.WithStreamBuffer(1))
	put(t, tbl, numbered(0, 3000)...)
	next, stop := iter.Pull2(tbl.Records(t.Context(), tbl.All("at")))
	defer stop()
	next()
	stream := tbl.Stream(t.Context(), tbl.All("rank"))
	<-stream.C()
	ok(t, tbl.Close())
	for range stream.C() { // to its end
	}
	if err := stream.Err(); !errors.Is(err, table.ErrClosed) {
		t.Errorf("the stream: got %v", err)
	}
	var last error
	for _, err, more := next(); more; _, err, more = next() {
		last = err
	}
	if !errors.Is(last, table.ErrClosed) {
		t.Errorf("the read: got %v", last)
	}
}

func TestG13_CloseLeavesWhatIsStored(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	first := openOn(t, rdb, name)
	put(t, first, numbered(0, 5)...)
	ok(t, first.ScratchPut(t.Context(), numbered(5, 9)...))
	ok(t, first.Close())
	second := openOn(t, rdb, name)
	wantState(t, second, table.StateClear) // what was only staged is dropped
	wantIDs(t, second, second.All("at"), 0, 1, 2, 3, 4)
	ok(t, rdb.Ping(t.Context()).Err()) // the client stays the caller's
}

// Not parallel: it counts the goroutines of the process that stand in this library.
func TestG13_CloseLeavesNoGoroutine(t *testing.T) {
	rdb := redistest.Shared(t).Client(t)
	for n := range 20 {
		tbl, err := table.Open(t.Context(), rdb, itemDefinition(redistest.Prefix(t)), smallPages())
		ok(t, err)
		put(t, tbl, numbered(0, 300)...)
		stream := tbl.Stream(t.Context(), tbl.All("at"))
		<-stream.C() // and nobody ever asks again
		ok(t, tbl.ScratchPut(t.Context(), numbered(0, 5)...))
		if n%2 == 0 {
			ok(t, tbl.ScratchMerge(t.Context()))
		}
		ok(t, tbl.Close())
		wantNoGoroutines(t)
	}
}

// wantNoGoroutines waits for goroutines that have said that they are done, but have not returned yet. One that is left
// behind never does.
func wantNoGoroutines(t testing.TB) {
	t.Helper()
	left := ""
	for deadline := time.Now().Add(patience); ; runtime.Gosched() {
		left = goroutinesOf("tablecache/table.", "tablecache/engine.", "tablecache/cleanup.")
		if left == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("left behind:\n%s", left)
		}
	}
}

// goroutinesOf returns the stacks of goroutines, but for the caller's, that stand in one of these packages.
func goroutinesOf(packages ...string) (found string) {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for _, stack := range strings.Split(string(stacks), "\n\n")[1:] {
		frames, _, _ := strings.Cut(stack, "created by ") // one that has returned may still be on its way out
		if strings.Contains(frames, "testing.tRunner") {
			continue // a test of the package itself, which waits for its turn
		}
		for _, p := range packages {
			if strings.Contains(frames, p) && !strings.Contains(frames, "testing.(*T).Parallel") { // a test that waits its turn
				found += stack + "\n\n"
				break
			}
		}
	}
	return found
}
