package engine

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// Effects whose outcome is not known at first, or that are refused.

func (r *rig) has(want ...string) {
	r.t.Helper()
	got := r.store.content()
	if len(got) != len(want) {
		r.t.Fatalf("the store has %v, want %q", got, want)
	}
	for _, key := range want {
		if _, there := got[key]; !there || r.store.count(key) != 1 {
			r.t.Fatalf("the store has applied %s %d times, want once", key, r.store.count(key))
		}
	}
}

func TestG9_LostReplyIsSettledAsDone(t *testing.T) {
	inBubble(t, Config{}, View{Seq: 7}, func(r *rig) {
		put := r.put("a")
		r.end(Put, replyLost)
		put.waits()
		r.settle(fine)
		put.gets(nil)
		r.has("a")
		if got := r.Acked(); got != 8 {
			t.Errorf("acknowledged %d, want 8", got)
		}
	})
}

func TestG9_LostReplyToADeleteGivesItsVerdictsAfterSettling(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		r.store.rows["a"] = "a"
		del := r.delete(marks("a", "b"))
		r.end(Delete, replyLost)
		r.settle(replyLost)
		r.pass(time.Second)
		r.settle(fine)
		del.gets(nil)
		if len(del.verdicts) != 2 || del.verdicts[0] != Marked || del.verdicts[1] != Missing {
			t.Errorf("verdicts %q, want 10", del.verdicts)
		}
	})
}

func TestG9_BurnedNumberGoesToNobodyAndTheLateEffectDoesNothing(t *testing.T) {
	inBubble(t, Config{}, View{Seq: 7}, func(r *rig) {
		put := r.put("a")
		v := r.storeCall()
		if v.Prev != 7 || v.Seq != 8 {
			t.Fatalf("%d after %d, want 8 after 7", v.Seq, v.Prev)
		}
		late := v.Effect
		v.end(cut)
		r.settle(fine) // 8 is void, and the table's number is 9
		r.pass(time.Second)
		v = r.storeCall()
		if v.Prev != 9 || v.Seq != 10 {
			t.Fatalf("%d after %d, want 10 after 9", v.Seq, v.Prev)
		}
		if err := r.store.arrives(&late); err == nil {
			t.Error("the late effect was applied")
		}
		v.end(fine)
		put.gets(nil)
		r.has("a")
	})
}

func TestG9_LateEffectThatArrivesBeforeItIsSettledIsDone(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		put := r.put("a")
		r.end(Put, late)
		r.settle(fine)
		put.gets(nil)
		r.has("a")
	})
}

func TestG9_SettlingGoesOnWithoutAnswers(t *testing.T) {
	inBubble(t, Config{Backoff: Backoff{First: time.Second, Most: 4 * time.Second}}, View{}, func(r *rig) {
		put := r.put("a")
		r.end(Put, cut)
		var pauses []time.Duration
		for range 5 {
			start := time.Now()
			v := <-r.store.calls
			pauses = append(pauses, time.Since(start))
			v.end(cut)
		}
		put.waits()
		for i, most := range []time.Duration{0, 1, 2, 4, 4} {
			if most *= time.Second; pauses[i] < most/2 || pauses[i] > most {
				t.Errorf("pause %d is %s, want %s to %s", i, pauses[i], most/2, most)
			}
		}
		r.pass(4 * time.Second)
		r.settle(fine) // burned
		r.pass(4 * time.Second)
		r.end(Put, fine)
		put.gets(nil)
		r.has("a")
	})
}

func TestG9_CallerWhoLeavesBeforeItIsSettledIsToldThatNobodyKnows(t *testing.T) {
	for what, until := range map[string]func(*rig){
		"applying":      func(r *rig) {},
		"settling":      func(r *rig) { r.end(Put, cut) },
		"settle paused": func(r *rig) { r.end(Put, cut); r.settle(cut) },
	} {
		t.Run(what, func(t *testing.T) {
			inBubble(t, Config{}, View{}, func(r *rig) {
				put := r.put("a")
				until(r)
				put.leavesWithUnknownOutcome()
				r.open()
				r.clear().gets(nil) // the table goes on
			})
		})
	}
}

func TestG9_CallerWhoLeavesInAPauseHasDoneNothing(t *testing.T) {
	for what, until := range map[string]func(*rig){
		"postponed": func(r *rig) { r.end(Put, away) },
		"burned":    func(r *rig) { r.end(Put, cut); r.settle(fine) },
	} {
		t.Run(what, func(t *testing.T) {
			inBubble(t, Config{}, View{}, func(r *rig) {
				put := r.put("a")
				until(r)
				put.waits()
				put.leaves()
				r.pass(time.Second)
				r.idle()
				r.has()
			})
		})
	}
}

func TestG9_NothingIsSentAndNoPinIsGrantedUntilItIsSettled(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		stage := r.stage("a") // disturbs no reader, once its outcome is known
		r.end(Stage, cut)
		others := []*call{r.stage("b"), r.put("c"), r.requestPin(), r.merge()}
		r.settle(cut)
		for _, c := range others {
			c.waits()
		}
		r.pass(time.Second)
		r.settle(fine)
		others[2].gets(nil)
		r.pass(time.Second)
		r.expect(Stage, "a")
		stage.gets(nil)
	})
}

func TestG9_RefusedEffectFailsAloneAndItsNumberIsFree(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		put := r.put("a")
		r.end(Put, refuse)
		put.gets(errRefused)
		if errors.Is(put.err, ErrUnknownOutcome) {
			t.Errorf("%v, want to know the outcome", put.err)
		}
		next := r.put("b")
		v := r.storeCall()
		if v.Prev != 0 || v.Seq != 1 {
			t.Errorf("%d after %d, want 1 after 0", v.Seq, v.Prev)
		}
		v.end(fine)
		next.gets(nil)
		r.has("b")
	})
}

func TestG9_PostponedEffectIsSentAgainUnderItsNumber(t *testing.T) {
	inBubble(t, Config{}, View{Seq: 3}, func(r *rig) {
		put := r.put("a")
		for range 20 {
			v := r.storeCall()
			if v.Prev != 3 || v.Seq != 4 {
				t.Fatalf("%d after %d, want 4 after 3", v.Seq, v.Prev)
			}
			v.end(away)
			put.waits()
			r.pass(time.Second)
		}
		r.end(Put, fine)
		put.gets(nil)
		r.has("a")
	})
}

func TestG9_MergeWhoseReplyIsLostIsFolded(t *testing.T) {
	inBubble(t, Config{}, View{State: StateActive}, func(r *rig) {
		merge := r.merge()
		r.end(Merge, replyLost)
		r.foldsAre() // not before the merge is known
		r.settle(fine)
		merge.gets(nil)
		r.foldsAre(1)
	})
}

func TestG12_StoreThatPanicsLeavesTheOutcomeUnknown(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		put := r.put("a")
		r.end(Put, crash)
		r.settle(crash)
		put.waits()
		r.pass(time.Second)
		r.settle(fine)
		r.pass(time.Second)
		r.end(Put, fine)
		put.gets(nil)
		r.has("a")
		for _, entry := range r.logs.All() {
			for _, field := range entry.ContextMap() {
				if text, is := field.(string); is && strings.Contains(text, "secret") {
					t.Errorf("what the store panicked with was logged: %s", text)
				}
			}
		}
	})
}

// Fenced, lost.

func TestG8_FencedEndsEverything(t *testing.T) { testEnds(t, takeover, ErrFenced) }

func TestG11_LostEndsEverything(t *testing.T) { testEnds(t, dataLoss, ErrLost) }

func testEnds(t *testing.T, how fault, want error) {
	inBubble(t, Config{Mailbox: 1}, View{State: StateActive}, func(r *rig) {
		pin := r.pin()
		spans := []*call{r.requestRegularSpan(), r.requestScratchSpan()}
		waiting := []*call{r.stage("a"), r.put("b"), r.put("before a full mailbox"), r.delete(marks("c")), r.stage("d"), r.discard(marks("e")),
			r.merge(), r.clear(), r.abort(), r.waitClear(), r.requestScratchSpan()}
		r.end(Stage, how)
		for _, c := range waiting {
			c.gets(want)
			if errors.Is(c.err, ErrUnknownOutcome) {
				t.Errorf("%s: %v, want to know the outcome", c.what, c.err)
			}
		}
		for _, c := range spans {
			if !errors.Is(c.span.Err(), want) {
				t.Errorf("the %s ended with %v, want %v", c.what, c.span.Err(), want)
			}
		}
		for _, c := range []*call{r.put("x"), r.stage("x"), r.put(), r.stage(), r.delete(marks("x")), r.delete(Deletion{}), r.discard(marks("x")),
			r.merge(), r.abort(), r.clear(), r.waitClear(), r.requestPin(), r.requestRegularSpan(), r.requestScratchSpan()} {
			c.gets(want)
		}
		r.idle()
		if s, err := r.Status(context.Background()); err != nil || !errors.Is(s.Broken, want) || s.Pins != 0 {
			t.Errorf("status %+v, %v", s, err)
		}
		r.pinIs(pin, false, want)
		pin.Release()
	})
}

func TestG8_FencedWhileSettlingLeavesTheOutcomeUnknown(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		put := r.put("a")
		r.end(Put, replyLost)
		r.settle(takeover)
		put.gets(ErrUnknownOutcome, ErrFenced)
		r.put("b").gets(ErrFenced)
	})
}

func TestG8_FoldThatIsFencedEndsEverythingButWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	for _, how := range []struct {
		fault
		want []error
	}{{fine, []error{nil}}, {replyLost, []error{ErrUnknownOutcome, ErrFenced}}, {away, []error{ErrFenced}}, {refuse, []error{errRefused}}} {
		bubble(t, Config{}, View{State: StateMerging, Generation: 2}, func(r *rig) {
			put, clear := r.put("a"), r.clear()
			v := r.storeCall()
			r.Folded(2, ErrFenced)
			put.gets(ErrFenced)
			clear.waits()
			v.end(how.fault)
			clear.gets(how.want...)
			r.put("b").gets(ErrFenced)
		})
	}
}
