package engine

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Close, at every moment: all callers are answered, with the truth, and both goroutines end.

func TestG13_CloseInEveryPhase(t *testing.T) {
	release := func(_ *rig, pin *Pin) { pin.Release() }
	long := Config{Backoff: Backoff{First: time.Hour, Most: time.Hour}}
	for _, c := range []struct {
		phase string
		bring func(*rig, *Pin) // brings a put there that waits for the pin
		end   func(*rig)       // what lets Close return; nil: it does so at once
		want  []error          // of the put
	}{
		{"holding", func(*rig, *Pin) {}, nil, []error{ErrClosed}},
		{"applying, applied", release, func(r *rig) { r.end(Put, fine) }, []error{nil}},
		{"applying, refused", release, func(r *rig) { r.end(Put, refuse) }, []error{errRefused}},
		{"applying, postponed", release, func(r *rig) { r.end(Put, away) }, []error{ErrClosed}},
		{"applying, cut", release, func(r *rig) { r.end(Put, cut) }, []error{ErrUnknownOutcome, ErrClosed}},
		{"applying, reply lost", release, func(r *rig) { r.end(Put, replyLost) }, []error{ErrUnknownOutcome, ErrClosed}},
		{"applying, panic", release, func(r *rig) { r.end(Put, crash) }, []error{ErrUnknownOutcome, ErrClosed}},
		{"applying, fenced", release, func(r *rig) { r.end(Put, takeover) }, []error{ErrFenced}},
		{"paused", func(r *rig, p *Pin) { p.Release(); r.end(Put, away) }, nil, []error{ErrClosed}},
		{"paused, burned", func(r *rig, p *Pin) { p.Release(); r.end(Put, cut); r.settle(fine) }, nil, []error{ErrClosed}},
		{"settling", func(r *rig, p *Pin) { p.Release(); r.end(Put, cut) }, nil, []error{ErrUnknownOutcome, ErrClosed}},
		{"settle paused", func(r *rig, p *Pin) { p.Release(); r.end(Put, cut); r.settle(cut) }, nil, []error{ErrUnknownOutcome, ErrClosed}},
	} {
		t.Run(c.phase, func(t *testing.T) {
			inBubble(t, long, View{}, func(r *rig) {
				pin := r.pin()
				put := r.put("a")
				queued := []*call{r.clear(), r.merge(), r.put("b"), r.delete(marks("c")), r.stage("d"), r.discard(marks("e"))}
				c.bring(r, pin)
				synctest.Wait()
				closed := make(chan struct{})
				go func() {
					defer close(closed)
					r.Close()
				}()
				synctest.Wait()
				for _, q := range queued {
					q.gets(ErrClosed)
				}
				if c.end != nil {
					put.waits()
					if isClosed(closed) {
						t.Error("Close did not wait for the effect under way")
					}
					c.end(r)
				}
				put.gets(c.want...)
				if !isClosed(closed) {
					t.Error("Close waits")
				}
				if unknown := errors.Is(put.err, ErrUnknownOutcome); unknown != errors.Is(c.want[0], ErrUnknownOutcome) {
					t.Errorf("%v: is the outcome unknown?", put.err)
				}
				if put.err == nil {
					r.has("a")
				}
			})
		})
	}
}

func TestG13_ClosedTableTakesNothing(t *testing.T) {
	inBubble(t, Config{}, View{State: StateActive, Generation: 3}, func(r *rig) {
		pin := r.pin()
		r.Close()
		if !isClosed(r.Done()) {
			t.Error("it is not done")
		}
		for _, c := range []*call{r.put("a"), r.stage("a"), r.delete(marks("a")), r.discard(marks("a")), r.merge(), r.abort(), r.clear(),
			r.waitClear(), r.requestPin(), r.requestRegularSpan(), r.requestScratchSpan()} {
			c.gets(ErrClosed)
		}
		if _, err := r.Status(context.Background()); !errors.Is(err, ErrClosed) {
			t.Errorf("status: %v", err)
		}
		pin.Release()
		r.Folded(3, nil)
		if v := r.View(); v != (View{State: StateActive, Generation: 3}) || r.Acked() != 0 {
			t.Errorf("the view is %+v", v)
		}
	})
}

func TestG13_CloseTwiceAndAtOnce(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		put := r.put("a")
		v := r.storeCall()
		var closed []chan struct{}
		for range 10 {
			c := make(chan struct{})
			closed = append(closed, c)
			go func() {
				defer close(c)
				r.Close()
			}()
		}
		for _, c := range closed {
			if isClosed(c) {
				t.Error("a Close did not wait for the effect under way")
			}
		}
		v.end(fine)
		put.gets(nil)
		for _, c := range closed {
			if !isClosed(c) {
				t.Error("a Close still waits")
			}
		}
		r.Close()
	})
}

func TestG13_CloseWhileTheFoldRunsOrRests(t *testing.T) {
	t.Parallel()
	for _, folded := range []func(*rig){
		func(*rig) {},
		func(r *rig) { r.Folded(2, errors.New("broken")) },
		func(r *rig) { r.Folded(2, ErrLost) },
	} {
		bubble(t, Config{}, View{State: StateMerging, Generation: 2}, func(r *rig) {
			folded(r)
			r.Close()
			r.pass(time.Hour)
			r.foldsAre(2)
			r.put("a").gets(ErrClosed)
		})
	}
}

func TestG13_CloseOfAFencedTable(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		span := r.regularSpan()
		pin := r.pin()
		r.stage("a")
		r.end(Stage, takeover)
		r.pinIs(pin, false, ErrFenced)
		r.Close()
		r.pinIs(pin, false, ErrFenced) // the first reason stays
		r.spanIs(span, ErrFenced)
		if !isClosed(r.Done()) || r.Err() != ErrFenced {
			t.Errorf("done: %v, because %v", isClosed(r.Done()), r.Err())
		}
		r.put("a").gets(ErrClosed)
	})
}

func TestG13_CloseDuringEverything(t *testing.T) {
	t.Parallel()
	for round := range 200 {
		closeDuringEverything(t, round)
	}
}

// closeDuringEverything closes a table while calls of all kinds arrive; all must return, and with the truth.
func closeDuringEverything(t *testing.T, round int) {
	store := newFakeStore()
	store.faults = func(bool) fault { return fault(round % int(takeover)) }
	a := Start(Config{Mailbox: 2, BatchRows: 3, Backoff: Backoff{First: 1, Most: 1}}, store, View{})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	calls := []func() error{
		func() error { return a.Put(ctx, rows("a")) }, func() error { return a.Put(ctx, rows("b")) }, func() error { return a.Stage(ctx, rows("c")) },
		func() error { _, err := a.Delete(ctx, marks("a")); return err }, func() error { _, err := a.Discard(ctx, marks("a")); return err },
		func() error { return a.Merge(ctx) }, func() error { return a.Abort(ctx) }, func() error { return a.Clear(ctx) },
		func() error { return a.WaitClear(ctx) }, func() error { _, err := a.Pin(ctx, View{}); return err },
		func() error { _, err := a.ScratchSpan(ctx); return err }, func() error { _, err := a.RegularSpan(ctx); return err },
		func() error { _, err := a.Status(ctx); return err },
	}
	var wg sync.WaitGroup
	for i := range 4 * len(calls) {
		wg.Go(func() {
			for range round % 7 {
				runtime.Gosched()
			}
			if err := calls[i%len(calls)](); err != nil && !errors.Is(err, ErrClosed) && !isRefused(err) {
				t.Errorf("round %d, call %d: %v", round, i%len(calls), err)
			}
		})
	}
	for range round {
		runtime.Gosched()
	}
	a.Close()
	wg.Wait()
}
