package engine

import (
	"context"
	"fmt"
	"testing"
)

// Writes beside a session in which what is staged stands for the whole table.

// discardAll discards everything, in a session or in none, which must be so many records; -1: any number.
func (r *rig) discardAll(s *Session, want int) *call {
	return r.begin("discard all", func(ctx context.Context, _ *call) error {
		all := r.DiscardAll
		if s != nil {
			all = s.DiscardAll
		}
		n, err := all(ctx)
		if err == nil && n != want && want >= 0 {
			r.t.Errorf("discarded %d, want %d", n, want)
		}
		return err
	})
}

func (r *rig) sweepAll() *call {
	return r.begin("sweep", func(ctx context.Context, _ *call) error {
		_, err := r.Sweep(ctx, Sweep{All: true}, nil)
		return err
	})
}

// sweepStaged makes a step of a discard by place.
func (r *rig) sweepStaged(s *Session) *call {
	return r.begin("discard by place", func(ctx context.Context, _ *call) error {
		_, err := s.SweepStaged(ctx, Sweep{Most: 10}, s.Span())
		return err
	})
}

// What was written through goes along with each step of a discard by place, in any session, and with none after its end.
func TestW1_WhatIsWrittenThroughGoesWithADiscardByPlace(t *testing.T) {
	inBubble(t, writeThrough, View{}, func(r *rig) {
		r.open()
		r.put("before").gets(nil)
		s, _ := r.granted()
		r.sweepStaged(s).gets(nil)
		r.put("a").gets(nil)
		r.stageIn(s, "b").gets(nil)
		r.sweepStaged(s).gets(nil)
		r.mergeIn(s, "").gets(nil)
		r.foldAll()
		s, _ = r.granted()
		r.sweepStaged(s).gets(nil)
		var kept []string
		for _, e := range r.store.effects() {
			if e.Sweep != nil {
				kept = append(kept, fmt.Sprintf("%s", e.Kept))
			}
		}
		if got := fmt.Sprint(kept); got != "[[] [a] []]" {
			t.Errorf("kept %s", got)
		}
	})
}

func (r *rig) tableIs(want string) {
	r.t.Helper()
	if got := fmt.Sprint(r.store.content()); got != want {
		r.t.Errorf("the table is %s, want %s", got, want)
	}
}

func TestW1_WhatIsWrittenThroughStaysInAWholeReload(t *testing.T) {
	inBubble(t, writeThrough, View{}, func(r *rig) {
		r.open()
		r.put("a", "b", "c", "d").gets(nil)
		r.discardAll(nil, 4).gets(nil)
		r.put("a", "new").gets(nil)
		r.delete(marks("b")).gets(nil)
		r.stage("a", "b", "x").gets(nil)
		r.update("a", "a", 99).gets(nil)
		r.stagedIs("a=a new=new x=x")
		r.discardAll(nil, 1).gets(nil)
		r.stagedIs("a=a new=new")
		r.delete(marks("new")).gets(nil)
		r.discardAll(nil, 0).gets(nil)
		r.stagedIs("a=a")
		r.merge().gets(nil)
		r.foldAll()
		r.tableIs("map[a:a]")
	})
}

// A session that has a holder is on before anything is staged, and what is written from then on is written through.
func TestW1_WhatIsWrittenBeforeAHolderDiscardsEverything(t *testing.T) {
	inBubble(t, writeThrough, View{}, func(r *rig) {
		r.open()
		r.put("a", "b", "c").gets(nil)
		s, _ := r.granted()
		r.put("b", "new").gets(nil)
		r.delete(marks("c")).gets(nil)
		plain := r.discardAll(nil, 2)
		plain.waits()
		r.discardAll(s, 1).gets(nil)
		r.stagedIs("b=b new=new")
		r.mergeIn(s, "").gets(nil)
		r.foldAll()
		r.tableIs("map[b:b new:new]")
		plain.gets(nil)
		r.discardAll(s, 0).gets(ErrScratchMerged)
	})
}

// Where the rows are not known, or too many, everything is to be discarded page by page.
func TestW1_NotAllThatIsWrittenThroughCanBeTakenAlong(t *testing.T) {
	many := make([]string, mostKept+1)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	for name, write := range map[string]func(*rig){
		"many":      func(r *rig) { r.put(many[:mostKept]...).gets(nil); r.put(many[mostKept]).gets(nil) },
		"by place":  func(r *rig) { r.put("a").gets(nil); r.sweepAll().gets(nil); r.put("a").gets(nil) },
		"a repair":  func(r *rig) { r.put("a").gets(nil); r.repair().gets(nil) },
		"the bytes": func(r *rig) { r.put("a", string(make([]byte, mostKeptBytes))).gets(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, writeThrough, View{}, func(r *rig) {
				r.open()
				r.put("before").gets(nil)
				s, _ := r.granted()
				write(r)
				r.discardAll(s, -1).gets(ErrChanged)
				if name == "many" || name == "the bytes" {
					r.sweepStaged(s).gets(ErrChanged)
				}
			})
		})
	}
}
