package engine

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Which requests are joined into one effect.

// joined begins the calls while an effect is under way, and returns the effects that they were joined into.
func (r *rig) joined(begin func()) (effects []string) {
	r.t.Helper()
	first := r.put("first")
	v := r.storeCall()
	begin()
	v.end(fine)
	first.gets(nil)
	before := len(r.store.effects())
	r.open()
	for _, e := range r.store.effects()[before:] {
		effects = append(effects, e.Kind.String()+" "+e.keys())
	}
	return effects
}

func (r *rig) joins(want []string, begin func()) {
	r.t.Helper()
	if got := r.joined(begin); !slices.Equal(got, want) {
		r.t.Errorf("effects %q, want %q", got, want)
	}
}

func TestWaitingPutsAreJoined(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		var keys []string
		r.joins([]string{"put " + strings.Join(names(300), " ")}, func() {
			for _, key := range names(300) {
				keys = append(keys, key)
				r.put(key)
			}
		})
	})
}

func names(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprint("k", i))
	}
	return all
}

func TestBatchesAreBoundByRowsAndSplitNoRequest(t *testing.T) {
	inBubble(t, Config{BatchRows: 4}, View{}, func(r *rig) {
		want := []string{"put a b c", "put d e f g", "put h i j k l m", "put n"}
		r.joins(want, func() {
			r.put("a")
			r.put("b", "c")
			r.put("d", "e")
			r.put("f", "g")
			r.put("h", "i", "j", "k", "l", "m") // more than a batch: alone, but whole
			r.put("n")
		})
	})
}

func TestW1_StagedRowsMakeSmallBatchesBesideOtherWrites(t *testing.T) {
	inBubble(t, Config{BatchRows: 8, WriteThrough: true}, View{}, func(r *rig) {
		r.joins([]string{"stage a b", "stage c d", "stage e f g"}, func() {
			for _, keys := range [][]string{{"a"}, {"b"}, {"c"}, {"d"}, {"e", "f", "g"}} {
				r.stage(keys...)
			}
		})
	})
}

func TestBatchesAreBoundByBytesAndSplitNoRequest(t *testing.T) {
	// A row of rows() has its key three times, four bytes for the generation, one of score.
	inBubble(t, Config{BatchBytes: 2 * (3*4 + 5)}, View{}, func(r *rig) {
		long := strings.Repeat("x", 100)
		r.joins([]string{"put aaaa bbbb", "put cccc", "put " + long, "put dddd eeee"}, func() {
			for _, key := range []string{"aaaa", "bbbb", "cccc", long, "dddd", "eeee"} {
				r.put(key)
			}
		})
	})
}

func TestKindsAreNotJoinedAndStayInOrder(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		r.joins([]string{"put a b", "delete a", "put c", "delete b c"}, func() {
			r.put("a")
			r.put("b")
			r.delete(marks("a"))
			r.put("c")
			r.delete(marks("b"))
			r.delete(marks("c"))
		})
	})
}

func TestStagedRowsAreJoinedAndSoAreTombstones(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		r.joins([]string{"stage a b", "discard a b c", "stage d"}, func() {
			r.stage("a")
			r.stage("b")
			r.discard(marks("a"))
			r.requestScratchSpan() // needs no effect
			r.discard(marks("b", "c"))
			r.stage("d")
		})
	})
}

func TestConditionalDeletionsAreNotJoined(t *testing.T) {
	conditional := marks("b")
	conditional.Marks[0].Value = Bytes("b")
	inBubble(t, Config{}, View{}, func(r *rig) {
		spanned := marks("d")
		spanned.Span = r.requestRegularSpan().span
		bounded := marks("f")
		bounded.Bounds = []Bytes{Bytes("0"), Bytes("1")}
		witnessed := marks("g")
		witnessed.Witnesses = conditional.Marks
		r.joins([]string{"delete a", "delete b", "delete c", "delete d", "delete e", "delete f", "delete g", "delete h i"}, func() {
			for _, d := range []Deletion{marks("a"), conditional, marks("c"), spanned, marks("e"), bounded, witnessed, marks("h"), marks("i")} {
				r.delete(d)
			}
		})
	})
}

func TestJoinedDeletionsEachGetTheirOwnVerdicts(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		var calls []*call
		r.store.rows = map[string]string{"b": "b", "d": "d", "e": "e"}
		r.joins([]string{"delete a b c d e"}, func() { calls = []*call{r.delete(marks("a", "b")), r.delete(marks("c")), r.delete(marks("d", "e"))} })
		for i, want := range []string{"01", "0", "11"} {
			calls[i].gets(nil)
			got := make([]byte, len(calls[i].verdicts))
			for j, v := range calls[i].verdicts {
				got[j] = byte(v)
			}
			if string(got) != want {
				t.Errorf("verdicts %q, want %q", got, want)
			}
		}
	})
}

func TestTooFewVerdictsAreALoss(t *testing.T) {
	t.Parallel()
	b := newBatch(deletionRequest(Delete, marks("a", "b")), 1)
	b.add(deletionRequest(Delete, marks("c")))
	b.answer(Result{Verdicts: []Verdict{Marked, Marked}}, nil)
	for _, r := range b.requests {
		if r.verdicts != nil || !strings.Contains(fmt.Sprint(r.err), ErrLost.Error()) {
			t.Errorf("%v, %v", r.verdicts, r.err)
		}
	}
}

func TestConditionalDeletionIsComparedUnlessTheNumberIsUnchanged(t *testing.T) {
	inBubble(t, Config{}, View{Seq: 5}, func(r *rig) {
		for _, c := range []struct {
			seen    uint64
			compare bool
		}{{5, false}, {5, true}, {7, false}, {9, true}} {
			d := marks("a")
			d.Marks[0].Value, d.ReadAt, d.Index = Bytes("seen"), c.seen, 3
			call := r.delete(d)
			v := r.storeCall()
			if v.Compare != c.compare || v.Index != 3 || v.Prev != r.View().Seq {
				t.Errorf("seen at %d, sent after %d: compare %t, index %d", c.seen, v.Prev, v.Compare, v.Index)
			}
			v.end(fine)
			call.gets(nil)
		}
	})
}

func TestResentDeletionIsComparedWhenItsNumberWasBurned(t *testing.T) {
	inBubble(t, Config{}, View{Seq: 5}, func(r *rig) {
		d := marks("a")
		d.Marks[0].Value, d.ReadAt = Bytes("seen"), 5
		call := r.delete(d)
		r.end(Delete, cut)
		r.settle(fine)
		r.pass(1e9)
		if v := r.storeCall(); !v.Compare {
			t.Error("the resent deletion is not compared")
		}
		r.open()
		call.gets(nil)
	})
}

func TestRowsAreStampedWithTheirGeneration(t *testing.T) {
	inBubble(t, Config{}, View{Generation: 0x01020304}, func(r *rig) {
		r.put("a", "b")
		v := r.storeCall()
		for _, row := range v.Rows {
			if got := string(row.Value[:4]); got != "\x01\x02\x03\x04" {
				t.Errorf("a put row is stamped %x", got)
			}
		}
		v.end(fine)
		r.stage("c")
		v = r.storeCall()
		if got := string(v.Rows[0].Value[:4]); got != "\x01\x02\x03\x05" {
			t.Errorf("a staged row is stamped %x", got)
		}
		v.end(fine)
		r.merge()
		r.end(Merge, fine)
		r.store.fold(r.View().Generation)
		r.Folded(r.View().Generation, nil)
		r.put("d")
		if v = r.storeCall(); string(v.Rows[0].Value[:4]) != "\x01\x02\x03\x05" || v.Generation != 0x01020305 {
			t.Errorf("a row put after the merge is stamped %x", v.Rows[0].Value[:4])
		}
	})
}
