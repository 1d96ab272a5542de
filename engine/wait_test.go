package engine

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// What callers are told who leave while they wait (P9), and where waiting is in vain (P7).

// leavesHaving checks what a caller that leaves is told: what it has waited for, since when, and what went wrong there.
func (c *call) leavesHaving(what WaitFor, since time.Time, why error) {
	c.r.t.Helper()
	c.leave()
	c.gets(context.Canceled)
	var w *WaitError
	if !errors.As(c.err, &w) || w.For != what || !w.Since.Equal(since) {
		c.r.t.Fatalf("%s: %v, want that it waited for %s since %s", c.what, c.err, what, since)
	}
	if (why == nil) != (w.Err == nil) || why != nil && !errors.Is(c.err, why) {
		c.r.t.Errorf("%s: %v, want the reason %v", c.what, c.err, why)
	}
	if n := strings.Count(c.err.Error(), prefix); n != 1 {
		c.r.t.Errorf("%s: the library is named %d times in %q", c.what, n, c.err)
	}
}

func TestP9_WhoLeavesHearsWhatItWaitedFor(t *testing.T) {
	for what, test := range map[string]func(r *rig){
		"scratch": func(r *rig) {
			r.pass(time.Second)
			stage, began := r.stage("s"), time.Now()
			r.expect(Stage, "s")
			stage.gets(nil)
			r.pass(time.Second)
			waiting := []*call{r.put("a"), r.delete(marks("a")), r.waitClear()}
			r.pass(time.Second)
			for _, c := range waiting {
				c.leavesHaving(WaitScratch, began, nil)
			}
		},
		"fold": func(r *rig) {
			stage := r.stage("s")
			r.expect(Stage, "s")
			stage.gets(nil)
			merge, began := r.merge(), time.Now()
			r.end(Merge, fine)
			merge.gets(nil)
			r.pass(time.Second)
			waiting := []*call{r.put("a"), r.stage("b"), r.waitClear(), r.discard(marks("a")), r.requestScratchSpan()}
			waiting[0].leavesHaving(WaitFold, began, nil)
			why := errors.New("disk full")
			r.Folded(1, why)
			r.pass(time.Second)
			for _, c := range waiting[1:] {
				c.leavesHaving(WaitFold, began, why)
			}
		},
		"reads": func(r *rig) {
			r.pin()
			put, began := r.put("a"), time.Now()
			clear, pin := r.clear(), r.requestPin()
			r.pass(time.Second)
			for _, c := range []*call{clear, pin, put} {
				c.leavesHaving(WaitReads, began, nil)
			}
		},
		"redis, refused": func(r *rig) {
			put, began := r.put("a"), time.Now()
			r.end(Put, away)
			clear := r.clear()
			for _, c := range []*call{clear, put} {
				c.leavesHaving(WaitRedis, began, errAway)
			}
		},
		"redis, the outcome unknown": func(r *rig) {
			put, began := r.put("a"), time.Now()
			r.end(Put, cut)
			stage := r.stage("b")
			stage.leavesHaving(WaitRedis, began, errNoAnswer)
			r.settle(away)
			put.leavesHaving(WaitRedis, began, errAway) // of the settling
			if !errors.Is(put.err, ErrUnknownOutcome) {
				r.t.Errorf("%v, want that the outcome is unknown", put.err)
			}
		},
		"redis, hanging": func(r *rig) {
			r.put("a")
			began := time.Now()
			r.pass(time.Second)
			r.put("b").leavesHaving(WaitRedis, began, nil)
		},
		"aside": func(r *rig) {
			put := r.put("a")
			r.end(Put, cut)
			r.settle(fine)
			r.put("b")
			r.pass(time.Second)
			put.leave()
			put.gets(context.Canceled)
			if !errors.As(put.err, new(*WaitError)) {
				r.t.Errorf("%v, want what it waited for", put.err)
			}
		},
		"at a full mailbox": func(r *rig) {
			r.put("a")
			began := time.Now()
			r.put("b")
			r.put("c").leavesHaving(WaitRedis, began, nil)
		},
	} {
		t.Run(what, func(t *testing.T) { inBubble(t, Config{Mailbox: 1}, View{}, test) })
	}
}

func TestP9_WhoseContextHadEndedBeforeHasWaitedForNothing(t *testing.T) {
	inBubble(t, Config{}, View{State: StateActive}, func(r *rig) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		for what, err := range map[string]error{"put": r.Put(ctx, rows("a")), "merge": r.Merge(ctx), "wait": r.WaitClear(ctx)} {
			if !errors.Is(err, context.Canceled) || errors.As(err, new(*WaitError)) {
				t.Errorf("%s: %v, want the context's error alone", what, err)
			}
		}
	})
}

func TestP9_TheCauseOfAContextIsTold(t *testing.T) {
	inBubble(t, Config{}, View{State: StateActive}, func(r *rig) {
		why := errors.New("the server shuts down")
		ctx, cancel := context.WithCancelCause(context.Background())
		time.AfterFunc(time.Second, func() { cancel(why) })
		err := r.Put(ctx, rows("a"))
		if !errors.Is(err, why) || !errors.Is(err, context.Canceled) || !errors.As(err, new(*WaitError)) {
			t.Errorf("%v, want all reasons", err)
		}
	})
}

func TestP7_WhatCannotBeSettledIsToldAtOnceToEverybody(t *testing.T) {
	inBubble(t, Config{Mailbox: 1}, View{}, func(r *rig) {
		put := r.put("a")
		r.end(Put, cut)
		waiting := []*call{r.put("b"), r.put("at the door"), r.stage("c"), r.delete(marks("d")), r.discard(marks("e")), r.clear(), r.merge(), r.repair(),
			r.requestPin()}
		r.settle(forbid)
		r.settle(forbid) // for those who came while the first was under way
		put.gets(ErrUnknownOutcome, errForbidden)
		for _, c := range waiting {
			c.gets(errForbidden)
			if errors.Is(c.err, ErrUnknownOutcome) {
				t.Errorf("%s: %v, want to know the outcome", c.what, c.err)
			}
		}
		for _, begin := range []func() *call{func() *call { return r.put("x") }, func() *call { return r.stage("x") }, r.abort, r.requestPin,
			r.requestScratchSpan} {
			c := begin()
			r.settle(forbid) // at once: nobody waits for a pause
			c.gets(errForbidden)
		}
		next := r.put("y")
		r.settle(fine) // somebody has cured it
		r.expect(Put, "y")
		next.gets(nil)
		r.has("y")
	})
}

// A Settle that was sent before somebody has cured the cause fails after it: who has come meanwhile is not told of that.
func TestP7_WhoComesLaterIsNotToldOfAnEarlierAttempt(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		put := r.put("a")
		r.end(Put, cut)
		r.settle(forbid)
		put.gets(ErrUnknownOutcome, errForbidden)
		r.pass(time.Second) // a Settle is under way
		later := r.put("b")
		r.settle(forbid)
		later.waits()
		r.settle(fine)
		r.expect(Put, "b")
		later.gets(nil)
		r.has("b")
	})
}

func TestP7_WhatWasAppliedAfterAllIsSeenLater(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		put := r.put("a")
		r.end(Put, replyLost)
		r.settle(forbid)
		put.gets(ErrUnknownOutcome, errForbidden)
		r.pass(time.Second)
		r.settle(fine)
		if r.Acked() != 1 {
			t.Errorf("acknowledged %d, want 1", r.Acked())
		}
		r.has("a")
	})
}

func TestP7_FoldThatCannotBeDoneIsToldToWhoWaitsForIt(t *testing.T) {
	inBubble(t, Config{}, View{State: StateMerging, Generation: 1}, func(r *rig) {
		waiting := []*call{r.put("a"), r.stage("b"), r.waitClear(), r.requestScratchSpan()}
		r.refuseFold()
		r.refuseFold() // they came after the first was requested
		for _, c := range waiting {
			c.gets(errForbidden)
		}
		r.pin().Release() // reads go on
		r.pass(time.Second)
		later := r.waitClear()
		r.refuseFold()
		later.waits()
		r.refuseFold()
		later.gets(errForbidden)
		r.pass(time.Second)
		r.Folded(1, r.store.fold(1))
		put := r.put("c")
		r.expect(Put, "c")
		put.gets(nil)
	})
}

// refuseFold ends the fold of generation 1 with a refusal that lasts, and waits until it is requested again.
func (r *rig) refuseFold() {
	r.Folded(1, &RefusedError{Err: errForbidden, General: true})
	r.pass(time.Second)
}

func TestP7_CloseOfWhatCannotBeSettled(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		put := r.put("a")
		r.end(Put, cut)
		r.settle(forbid)
		put.gets(errForbidden)
		r.Close()
		r.put("b").gets(ErrClosed)
	})
}

func TestP7_WhoWaitsForScratchHearsThatTheStoreCannotBeHad(t *testing.T) {
	for what, c := range map[string]struct {
		how  fault
		want error // nil: go on waiting
	}{"well": {fine, nil}, "away": {away, nil}, "no answer": {cut, nil}, "forbidden": {forbid, errForbidden}, "fenced": {takeover, ErrFenced},
		"lost": {dataLoss, ErrLost}} {
		for whom, begin := range map[string]func(*rig) []*call{
			"writers": func(r *rig) []*call { return []*call{r.put("a"), r.put("at the door"), r.delete(marks("b"))} },
			"waiters": func(r *rig) []*call { return []*call{r.waitClear(), r.waitClear()} },
		} {
			t.Run(what+", "+whom, func(t *testing.T) {
				inBubble(t, Config{Mailbox: 1}, View{State: StateActive}, func(r *rig) {
					var asked atomic.Int64
					r.store.watched = func() fault { asked.Add(1); return c.how }
					r.pass(time.Second)
					calls := begin(r)
					r.pass(time.Second)
					for _, w := range calls {
						if c.want == nil {
							w.waits()
							w.leaves()
							continue
						}
						w.gets(c.want)
					}
					if n := asked.Load(); n == 0 || n > 2 {
						t.Errorf("it was asked %d times in a second", n)
					}
				})
			})
		}
	}
}
