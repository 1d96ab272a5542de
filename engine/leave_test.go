package engine

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// Callers that leave: before their effect is sent they have done nothing, and delay nobody.

func TestD9_WaitingCallLeavesAtOnceHavingDoneNothing(t *testing.T) {
	for what, begin := range map[string]func(*rig) *call{
		"a put in the mailbox":        func(r *rig) *call { return r.put("x") },
		"a put before a full mailbox": func(r *rig) *call { r.put("a"); r.put("b"); return r.put("x") },
		"a delete":                    func(r *rig) *call { return r.delete(marks("x")) },
		"a stage":                     func(r *rig) *call { return r.stage("x") },
		"a discard":                   func(r *rig) *call { return r.discard(marks("x")) },
		"a discard before a full mailbox": func(r *rig) *call {
			r.stage("a")
			r.stage("b")
			return r.discard(marks("x"))
		},
		"a merge":        func(r *rig) *call { return r.merge() },
		"an abort":       func(r *rig) *call { return r.abort() },
		"a clear":        func(r *rig) *call { return r.clear() },
		"a wait":         func(r *rig) *call { return r.waitClear() },
		"a pin":          func(r *rig) *call { return r.requestPin() },
		"a scratch span": func(r *rig) *call { return r.requestScratchSpan() },
	} {
		t.Run(what, func(t *testing.T) {
			inBubble(t, Config{Mailbox: 2}, View{State: StateActive}, func(r *rig) {
				first := r.merge()
				v := r.storeCall()
				c := begin(r)
				c.waits()
				c.leaves()
				v.end(fine)
				first.gets(nil)
				r.store.fold(1)
				r.Folded(1, nil)
				r.open() // so that all that waits goes on
				for _, e := range r.store.effects() {
					if e.Kind != Merge && strings.Contains(e.keys(), "x") || e.Kind == Clear || e.Kind == Abort {
						t.Errorf("%s was applied though its caller left before", e.Kind)
					}
				}
			})
		})
	}
}

func TestD9_EndedContextRequestsNothing(t *testing.T) {
	inBubble(t, Config{}, View{State: StateActive}, func(r *rig) {
		ctx, cancel := context.WithCancelCause(context.Background())
		why := errors.New("the client hung up")
		cancel(why)
		_, span := r.RegularSpan(ctx)
		_, scratchSpan := r.ScratchSpan(ctx)
		_, status := r.Status(ctx)
		_, pin := r.Pin(ctx, View{})
		_, deletion := r.Delete(ctx, marks("x"))
		_, discard := r.Discard(ctx, marks("x"))
		for what, err := range map[string]error{"put": r.Put(ctx, rows("x")), "stage": r.Stage(ctx, rows("x")), "delete": deletion,
			"discard": discard, "merge": r.Merge(ctx), "abort": r.Abort(ctx), "clear": r.Clear(ctx), "wait": r.WaitClear(ctx),
			"pin": pin, "span": span, "scratch span": scratchSpan, "status": status} {
			if !errors.Is(err, context.Canceled) || !errors.Is(err, why) || errors.Is(err, ErrUnknownOutcome) {
				t.Errorf("%s: %v, want %v because %v", what, err, context.Canceled, why)
			}
		}
		r.idle()
	})
}

func TestD9_DeadlineEndsTheWait(t *testing.T) {
	inBubble(t, Config{}, View{State: StateActive}, func(r *rig) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		start := time.Now()
		err := r.Put(ctx, rows("x"))
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("%v after %s, want the deadline after 1s", err, time.Since(start))
		}
	})
}

func TestD9_PutThatWaitsForAPinIsDroppedWithItsLastCaller(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		r.pin()
		first := r.put("a")
		later := r.requestPin()
		later.waits() // behind the put, which has the lock
		first.leaves()
		later.gets(nil)
		r.idle()
	})
}

func TestD9_OneCallerOfABatchLeaves(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		pin := r.pin()
		r.put("z") // waits for the pin; what follows waits in the mailbox
		a, b, c := r.put("a"), r.put("b"), r.put("c")
		pin.Release()
		r.expect(Put, "z")
		v := r.storeCall() // a b c
		b.leavesWithUnknownOutcome()
		v.end(away)
		a.leaves() // while it is paused
		c.waits()
		r.pass(time.Second)
		r.expect(Put, "c")
		c.gets(nil)
	})
}

func TestD9_CommandWhoseCallerHasLeftDelaysNobody(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		pin := r.pin()
		stage := r.stage("a")
		v := r.storeCall()
		clear, second := r.clear(), r.clear()
		clear.leaves()
		second.leaves()
		v.end(fine)
		stage.gets(nil)
		select {
		case <-pin.Hurry():
			t.Error("a reader hurries for a clear whose caller has left")
		default:
		}
		next := r.stage("b")
		r.expect(Stage, "b")
		next.gets(nil)
	})
}

func TestD9_EffectWhoseCallersLeftWhileItWasAppliedIsNotSentAgain(t *testing.T) {
	for what, end := range map[string]func(*rig, *gatedCall){
		"postponed": func(_ *rig, v *gatedCall) { v.end(away) },
		"burned":    func(r *rig, v *gatedCall) { v.end(cut); r.settle(fine) },
	} {
		t.Run(what, func(t *testing.T) {
			inBubble(t, Config{Backoff: Backoff{First: time.Hour, Most: time.Hour}}, View{}, func(r *rig) {
				left := r.put("a")
				v := r.storeCall()
				left.leavesWithUnknownOutcome()
				next := r.put("b")
				end(r, v)
				r.expect(Put, "b")
				next.gets(nil)
			})
		})
	}
}

func TestD9_DeletionsKeepTheirOwnVerdictsWhenOthersLeave(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		r.store.rows = map[string]string{"b": "b", "d": "d"}
		pin := r.pin()
		r.put("z")
		a, bc, d := r.delete(marks("a")), r.delete(marks("b", "c")), r.delete(marks("d"))
		pin.Release()
		r.expect(Put, "z")
		v := r.storeCall() // a b c d
		a.leavesWithUnknownOutcome()
		v.end(away)
		r.pass(time.Second)
		v = r.storeCall() // b c d
		d.leavesWithUnknownOutcome()
		v.end(fine)
		bc.gets(nil)
		if got := string([]byte{byte(bc.verdicts[0]), byte(bc.verdicts[1])}); got != "10" || len(bc.verdicts) != 2 {
			t.Errorf("verdicts %q, want those on b and c: 10", got)
		}
	})
}

func TestD9_DeferredRequestWhoseCallerLeaves(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		pin := r.pin()
		r.put("z")
		put, del := r.put("a"), r.delete(marks("x")) // the delete cannot join the put: it is deferred
		third := r.put("b")
		pin.Release()
		r.expect(Put, "z")
		v := r.storeCall()
		del.leaves()
		v.end(fine)
		put.gets(nil)
		r.expect(Put, "b")
		third.gets(nil)
	})
}

func TestS6_PinWhoseCallerLeavesIsNotGranted(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		put := r.put("a")
		v := r.storeCall()
		pin := r.requestPin()
		pin.leaves()
		v.end(fine)
		put.gets(nil)
		next := r.put("b")
		r.expect(Put, "b") // waits for no pin
		next.gets(nil)
		if s, err := r.Status(context.Background()); err != nil || s.Pins != 0 {
			t.Errorf("%d pins, %v", s.Pins, err)
		}
	})
}

func TestRowsThatWereDroppedAreNotKept(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		big := r.put("a", "b", "c")
		r.end(Put, away)
		big.leaves()
		small := r.put("d")
		r.expect(Put, "d")
		small.gets(nil)
		r.Close()
		for i, row := range r.rowBuffer[:cap(r.rowBuffer)] {
			if row.Key != nil {
				t.Errorf("row %d of the buffer still holds %s", i, row.Key)
			}
		}
	})
}
