package engine

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Writes beside a scratch session (Config.WriteThrough).

var writeThrough = Config{WriteThrough: true}

// stagedIs checks what a merge would change.
func (r *rig) stagedIs(want string) {
	r.t.Helper()
	r.store.mu.Lock()
	defer r.store.mu.Unlock()
	var all []string
	for key, value := range r.store.staged {
		all = append(all, key+"="+value)
	}
	slices.Sort(all)
	if got := strings.Join(all, " "); got != want {
		r.t.Errorf("%q is staged, want %q", got, want)
	}
}

// foldAll folds the first generation, if it was merged.
func (r *rig) foldAll() {
	r.Folded(1, r.store.fold(1))
	synctest.Wait()
}

// discards checks the verdicts of a discard.
func (r *rig) discards(d Deletion, want string) {
	r.t.Helper()
	c := r.discard(d)
	c.gets(nil)
	if got := string(c.verdicts); got != want {
		r.t.Errorf("the verdicts are %q, want %q", got, want)
	}
}

func TestW1_WhatIsWrittenThroughWins(t *testing.T) {
	inBubble(t, writeThrough, View{}, func(r *rig) {
		r.open()
		r.put("before").gets(nil)
		r.stage("a", "b", "c", "d", "before").gets(nil)
		r.put("a").gets(nil)
		r.delete(marks("b", "never")).gets(nil)
		r.apply(Change{Rows: rows("c"), Marks: marks("d").Marks}).gets(nil)
		r.update("a", "a", 99).gets(nil)
		r.stagedIs("before=before")
		r.stage("a", "x", "b", "d", "never").gets(nil)
		r.discards(marks("a", "before", "c", "none", "x"), "01001")
		r.stagedIs("before= x=")
		r.stateIs(StateActive)
		r.merge().gets(nil)
		r.stage("none").waits()
		r.foldAll()
		if got := fmt.Sprint(r.store.content()); got != "map[a:a c:c]" {
			t.Errorf("the table is %s", got)
		}
		r.stagedIs("none=none")
		r.stage("a", "c").gets(nil) // another session: nothing is remembered
		r.stagedIs("a=a c=c none=none")
	})
}

// Of what is passed over nothing is sent, and no number is used.
func TestW1_NothingLeftToStage(t *testing.T) {
	inBubble(t, writeThrough, View{State: StateActive}, func(r *rig) {
		r.open()
		r.put("a", "b").gets(nil)
		n := r.View().Seq
		r.stage("a").gets(nil)
		r.discards(marks("b", "a"), "00")
		bounds := Deletion{Marks: []Mark{{Key: Bytes("a"), Value: Bytes("a"), Score: Bytes("1")}}, Bounds: []Bytes{Bytes("0"), Bytes("9")}, ReadAt: n}
		r.discards(bounds, "0")
		bounds.ReadAt = n - 1 // nobody has looked whether anything else lies there by now
		r.discards(bounds, "2")
		if got := r.View().Seq; got != n {
			t.Errorf("at %d, want %d", got, n)
		}
	})
}

// A mark that is passed over still lies in the intervals.
func TestW1_AMarkThatIsPassedOverBecomesAWitness(t *testing.T) {
	inBubble(t, writeThrough, View{State: StateActive}, func(r *rig) {
		r.put("a")
		r.expect(Put, "a")
		d := marks("a", "b")
		d.Marks[0].Value, d.Marks[1].Value = Bytes("a"), Bytes("b")
		d.Bounds, d.ReadAt = []Bytes{Bytes("0"), Bytes("9")}, 0
		c := r.discard(d)
		v := r.storeCall()
		if v.keys() != "b" || len(v.Witnesses) != 1 || string(v.Witnesses[0].Key) != "a" || len(d.Marks) != 2 || string(d.Marks[0].Key) != "a" {
			t.Errorf("marks %s, witnesses %v", v.keys(), v.Witnesses)
		}
		v.end(fine)
		c.gets(nil)
		if string(c.verdicts) != "00" {
			t.Errorf("the verdicts are %q", c.verdicts)
		}
	})
}

// A deletion that sweeps waits for the end of the session, and puts that come after it do not wait for it.
func TestW1_ASweepHoldsNobodyUp(t *testing.T) {
	inBubble(t, writeThrough, View{}, func(r *rig) {
		r.pass(time.Second)
		r.stage("s")
		began := time.Now()
		r.expect(Stage, "s")
		sweep, other, leaves := r.delete(within(r.regularSpan(), "a")), r.delete(within(r.regularSpan(), "b")), r.delete(within(r.regularSpan(), "b"))
		put := r.put("a")
		r.expect(Put, "a")
		put.gets(nil)
		sweep.waits()
		leaves.leavesHaving(WaitScratch, began, nil)
		r.merge()
		r.end(Merge, fine)
		sweep.waits()
		merged := time.Now()
		r.put("c").leavesHaving(WaitFold, merged, nil)
		r.foldAll()
		for range 2 {
			r.end(Delete, fine)
		}
		sweep.gets(nil)
		other.gets(nil)
	})
}

// What nobody waits for any more is remembered if it is found to be applied, and not if its number is burned.
func TestW1_TheOutcomeDecidesWhatIsRemembered(t *testing.T) {
	for what, applied := range map[string]bool{"applied": true, "burned": false} {
		t.Run(what, func(t *testing.T) {
			inBubble(t, writeThrough, View{State: StateActive}, func(r *rig) {
				c := r.put("a")
				v := r.storeCall()
				c.leavesWithUnknownOutcome()
				if applied {
					v.end(replyLost)
				} else {
					v.end(cut)
				}
				r.settle(forbid) // now the callers are answered, and the actor forgets their rows
				r.pass(time.Second)
				r.open()
				r.stage("a", "b").gets(nil)
				if applied {
					r.stagedIs("b=b")
				} else {
					r.stagedIs("a=a b=b")
				}
			})
		})
	}
}

// What is staged is passed over each time that it is sent: more may be written through before it is sent again.
func TestW1_AnEffectThatIsSentAgainIsLookedAtAgain(t *testing.T) {
	inBubble(t, writeThrough, View{State: StateActive}, func(r *rig) {
		stage, discard := r.stage("a", "b"), r.discard(marks("c", "a"))
		r.end(Stage, cut)
		r.settle(fine) // burned
		r.pass(time.Millisecond)
		r.pass(time.Second)
		put := r.put("a")
		r.open()
		put.gets(nil)
		stage.gets(nil)
		discard.gets(nil)
		r.stage("a").gets(nil)
		r.stagedIs("b=b")
	})
}

// The keys are remembered until the session ends, however it does.
func TestW1_TheEndOfTheSessionForgets(t *testing.T) {
	for what, end := range map[string]func(*rig) *call{"merge": (*rig).merge, "abort": (*rig).abort, "clear": (*rig).clear} {
		t.Run(what, func(t *testing.T) {
			inBubble(t, writeThrough, View{State: StateActive}, func(r *rig) {
				r.open()
				r.put("a").gets(nil)
				end(r).gets(nil)
				r.foldAll()
				r.stage("a").gets(nil)
				r.stagedIs("a=a")
			})
		})
	}
}

// Without the option regular writes wait (D2).
func TestW1_WithoutTheOptionAWriteWaits(t *testing.T) {
	inBubble(t, Config{}, View{State: StateActive}, func(r *rig) {
		for _, c := range []*call{r.put("a"), r.delete(marks("a")), r.apply(Change{Rows: rows("a")}), r.update("a", "", 0)} {
			c.waits()
		}
		r.idle()
	})
}

// A remembered key costs memory until the session ends: the doc comment of WithWriteThrough says how much.
func TestW1_WhatARememberedKeyCosts(t *testing.T) {
	const n = 100_000
	var w writtenThrough
	before := heapInUse()
	for from := 0; from < n; from += 1000 {
		e := &Effect{}
		for i := range 1000 {
			e.Rows = append(e.Rows, Row{Key: fmt.Appendf(nil, "%08d", from+i)})
		}
		w.note(e)
		w.remember()
	}
	each := float64(heapInUse()-before) / n
	t.Logf("%.0f bytes for a key of 8", each)
	if !w.has(Bytes("00000007")) || each > 80 {
		t.Errorf("%.0f bytes for each key", each)
	}
}

func heapInUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
