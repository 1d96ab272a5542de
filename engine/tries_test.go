package engine

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap/zapcore"
)

// Effects that the store never takes, though small requests get through (P2).

// fail makes the effect under way fail once: no answer comes, and the settling finds that it was not applied.
func (r *rig) fail(kind Kind, keys string) {
	r.t.Helper()
	v := r.storeCall()
	if v.Kind != kind || v.what != callApply || v.keys() != keys {
		r.t.Fatalf("the store is called for %s %q, want %s %q", v.Kind, v.keys(), kind, keys)
	}
	v.end(cut)
	r.settle(fine)
	r.pass(time.Second)
}

// postpones makes the store refuse the effect under way, for a reason that passes, and then answer a small request like that.
func (r *rig) postpones(kind Kind, small fault) {
	r.t.Helper()
	r.end(kind, postpone)
	r.ping(small)
	r.pass(time.Second)
}

// ping ends the ping that is under way.
func (r *rig) ping(how fault) {
	r.t.Helper()
	if v := r.storeCall(); v.what == callPing {
		v.end(how)
		return
	}
	r.t.Fatal("no ping is under way")
}

// isGivenUp checks that the caller was told so, why, and after how many tries.
func (c *call) isGivenUp(tries int, why error) {
	c.r.t.Helper()
	c.gets(why)
	var e *GivenUpError
	if !errors.As(c.err, &e) || e.Tries != tries || e.Bytes == 0 && len(c.what) > len("clear") || errors.Is(c.err, ErrUnknownOutcome) {
		c.r.t.Errorf("%s: %v, want that it was given up after %d tries", c.what, c.err, tries)
	}
}

func TestP2_EffectThatIsNeverAppliedIsGivenUp(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		put := r.put("a")
		for range 5 {
			put.waits()
			r.fail(Put, "a")
		}
		put.isGivenUp(5, errNoAnswer)
		next := r.put("b")
		r.expect(Put, "b")
		next.gets(nil)
		r.has("b")
	})
}

func TestP2_RefusalThatNeverPassesIsGivenUp(t *testing.T) {
	inBubble(t, Config{Tries: 3}, View{Seq: 4}, func(r *rig) {
		put := r.put("a")
		for range 3 {
			put.waits()
			r.postpones(Put, fine)
		}
		put.isGivenUp(3, errLoading)
		put = r.put("b")
		v := r.storeCall()
		if v.Prev != 4 {
			t.Errorf("the number after %d is used, want the one after 4: none was", v.Prev)
		}
		v.end(fine)
		put.gets(nil)
	})
}

func TestP2_WhileNothingGetsThroughAPutWaits(t *testing.T) {
	for what, once := range map[string]func(*rig){
		"dial":                func(r *rig) { r.end(Put, away) },
		"loading":             func(r *rig) { r.end(Put, postpone); r.ping(postpone) },
		"loading, then gone":  func(r *rig) { r.end(Put, postpone); r.ping(cut) },
		"a store that panics": func(r *rig) { r.end(Put, postpone); r.ping(crash) },
	} {
		t.Run(what, func(t *testing.T) {
			inBubble(t, Config{}, View{Seq: 3}, func(r *rig) {
				put := r.put("a")
				for range 20 {
					once(r)
					r.pass(time.Second)
					put.waits()
				}
				if v := r.storeCall(); v.Prev != 3 || v.Seq != 4 {
					t.Errorf("%d after %d, want 4 after 3", v.Seq, v.Prev)
				}
				put.waits()
				r.open()
				put.gets(nil)
				r.has("a")
			})
		})
	}
}

func TestP7_APingThatIsRefusedForGoodIsTold(t *testing.T) {
	inBubble(t, Config{}, View{Seq: 3}, func(r *rig) {
		put := r.put("a")
		r.end(Put, postpone)
		r.ping(forbid)
		put.gets(errForbidden)
		put = r.put("b")
		r.end(Put, fine)
		put.gets(nil)
		r.has("b")
	})
}

func TestP2_JoinedRequestsAreSentApartAndOnlyTheGuiltyOneFails(t *testing.T) {
	for what, fail := range map[string]func(r *rig, keys string){
		"not applied": func(r *rig, keys string) { r.fail(Put, keys) },
		"postponed":   func(r *rig, _ string) { r.postpones(Put, fine) },
	} {
		t.Run(what, func(t *testing.T) {
			inBubble(t, Config{}, View{}, func(r *rig) {
				first := r.put("first")
				good, bad, left := r.put("g"), r.put("bad"), r.put("left")
				other := r.put("o1", "o2")
				r.expect(Put, "first")
				first.gets(nil)
				fail(r, "g bad left o1 o2")
				fail(r, "g bad left o1 o2")
				left.leaves()
				r.expect(Put, "g")
				fail(r, "bad")
				late := r.put("late") // in the mailbox: but what was joined goes first
				r.expect(Put, "o1 o2")
				good.gets(nil)
				other.gets(nil)
				fail(r, "bad") // nobody else had waited when it was sent
				r.expect(Put, "late")
				late.gets(nil)
				for range 3 {
					fail(r, "bad")
				}
				if !errors.As(bad.err, new(*GivenUpError)) {
					t.Errorf("%v, want that it was given up", bad.err)
				}
				bad.gets()
				r.idle()
				r.has("first", "g", "o1", "o2", "late")
			})
		})
	}
}

func TestP2_RefusalOfWhatIsJoinedIsOnlyTheGuiltyOnes(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		first := r.put("first")
		good, bad := r.put("g"), r.put("bad")
		r.expect(Put, "first")
		first.gets(nil)
		r.end(Put, refuse)
		r.expect(Put, "g")
		good.gets(nil)
		r.end(Put, refuse)
		bad.gets(errRefused)
		r.has("first", "g")
	})
}

func TestP2_RefusalOfEverythingIsEverybodys(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		first := r.put("first")
		all := []*call{r.put("a"), r.put("b")}
		r.expect(Put, "first")
		first.gets(nil)
		r.end(Put, forbid)
		for _, c := range all {
			c.gets(errForbidden)
		}
		r.idle()
	})
}

func TestP2_EverybodyPassesWhatFails(t *testing.T) {
	inBubble(t, Config{}, View{State: StateActive}, func(r *rig) {
		bad := r.stage("bad")
		r.end(Stage, cut)
		abort := r.abort()
		r.settle(fine)
		r.pass(time.Second)
		r.end(Abort, fine)
		abort.gets(nil)
		r.end(Stage, cut) // a session of its own
		clear := r.clear()
		r.settle(fine)
		r.pass(time.Second)
		r.end(Clear, fine)
		clear.gets(nil)
		r.end(Stage, cut)
		put := r.put("p")
		r.settle(fine)
		r.pass(time.Second)
		r.expect(Put, "p")
		put.gets(nil)
		pin := r.pin()
		pin.Release()
		r.fail(Stage, "bad")
		r.fail(Stage, "bad")
		bad.isGivenUp(5, errNoAnswer)
	})
}

func TestP2_CommandsThatAreNeverAppliedAreGivenUp(t *testing.T) {
	inBubble(t, Config{}, View{State: StateActive}, func(r *rig) {
		clear, abort := r.clear(), r.abort()
		r.fail(Clear, "")
		r.end(Abort, fine)
		abort.gets(nil)
		for range 4 {
			clear.waits()
			r.fail(Clear, "")
		}
		clear.isGivenUp(5, errNoAnswer)
		r.idle()
	})
}

func TestP2_ACallerLeavesWhatIsAside(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		bad := r.put("bad")
		r.end(Put, cut)
		r.settle(fine)
		other := r.put("o")
		r.pass(time.Second)
		bad.leaves() // while the other one has the lock
		r.expect(Put, "o")
		other.gets(nil)
		r.idle()
	})
}

func TestP2_ADeletionThatIsAsideEndsWithItsSpan(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		r.store.rows["a"] = "a"
		d := marks("a")
		d.Span = r.regularSpan()
		del := r.delete(d)
		r.end(Delete, cut)
		r.settle(fine)
		clear := r.clear()
		r.pass(time.Second)
		r.end(Clear, fine)
		clear.gets(nil)
		del.gets(ErrCleared)
		r.idle()
	})
}

func TestP2_AllWhoWereJoinedLeaveWhileItIsPinged(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		put := r.put("a")
		r.end(Put, postpone)
		put.leaves()
		next := r.put("b")
		r.ping(fine)
		r.pass(time.Second)
		r.expect(Put, "b")
		next.gets(nil)
		r.has("b")
	})
}

func TestP2_CloseWhileItIsPingedAndWhileSomethingIsAside(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		aside := r.put("a")
		r.end(Put, cut)
		r.settle(fine)
		pinged := r.put("b")
		r.pass(time.Second)
		r.end(Put, postpone)
		r.Close()
		for _, c := range []*call{aside, pinged} {
			c.gets(ErrClosed)
			if errors.Is(c.err, ErrUnknownOutcome) {
				t.Errorf("%s: %v, want to know the outcome", c.what, c.err)
			}
		}
	})
}

func TestP2_TheLogNamesKindBytesAndTheLastWord(t *testing.T) {
	inBubble(t, Config{Tries: 2}, View{}, func(r *rig) {
		put := r.put("secretkey")
		for range 2 {
			r.fail(Put, "secretkey")
		}
		put.isGivenUp(2, errNoAnswer)
		entries := r.logs.FilterMessage("an effect is given up").All()
		if len(entries) != 1 || entries[0].Level != zapcore.ErrorLevel {
			t.Fatalf("%d entries say that an effect is given up", len(entries))
		}
		fields := entries[0].ContextMap()
		if fields["kind"] != "put" || fields["bytes"].(int64) < 9 || fields["error"] != errNoAnswer.Error() || fields["tries"] != int64(2) {
			t.Errorf("the log says %v", fields)
		}
		for _, e := range r.logs.All() {
			for name, v := range e.ContextMap() {
				if text, is := v.(string); is && strings.Contains(text, "secretkey") {
					t.Errorf("%s: %s tells %s", e.Message, name, text)
				}
			}
		}
	})
}

// TestP2_ManyWritersAndOneThatIsTooLarge: whatever is joined with what the store never takes gets in, and is stored once.
func TestP2_ManyWritersAndOneThatIsTooLarge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := newFakeStore()
		store.tooLarge = "poison"
		a := Start(Config{}, store, View{})
		defer a.Close()
		type outcome struct {
			key string
			err error
		}
		outcomes := make(chan outcome)
		keys := []string{"poison"}
		for i := range 50 {
			keys = append(keys, string(rune('A'+i)))
		}
		for _, k := range keys {
			go func() { outcomes <- outcome{k, a.Put(context.Background(), rows(k))} }()
		}
		for range keys {
			o := <-outcomes
			if given := errors.As(o.err, new(*GivenUpError)); given != (o.key == "poison") || !given && o.err != nil {
				t.Errorf("%s: %v", o.key, o.err)
			}
		}
		for _, k := range keys[1:] {
			if n := store.count(k); n != 1 {
				t.Errorf("%s was stored %d times", k, n)
			}
		}
		if n := store.count("poison"); n != 0 {
			t.Errorf("what is too large was stored %d times", n)
		}
	})
}
