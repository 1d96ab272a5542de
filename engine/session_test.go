package engine

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// W2: scratch sessions that belong to somebody.

// scratch requests a session whose life ends when the call's caller leaves.
func (r *rig) scratch() *call {
	return r.begin("scratch", func(ctx context.Context, c *call) (err error) {
		c.session, err = r.Scratch(ctx)
		return err
	})
}

// granted returns a session that is granted at once, and what ends its life.
func (r *rig) granted() (*Session, context.CancelFunc) {
	r.t.Helper()
	c := r.scratch()
	c.gets(nil)
	return c.session, c.leave
}

func (r *rig) stageIn(s *Session, keys ...string) *call {
	return r.begin("stage in a session", func(ctx context.Context, _ *call) error { return s.Stage(ctx, rows(keys...)) })
}

func (r *rig) discardIn(s *Session, keys ...string) *call {
	return r.begin("discard in a session", func(ctx context.Context, c *call) (err error) {
		c.verdicts, err = s.Discard(ctx, marks(keys...))
		return err
	})
}

func (r *rig) mergeIn(s *Session, note string) *call {
	return r.begin("merge of a session", func(ctx context.Context, _ *call) error {
		if note == "" {
			return s.Merge(ctx, nil)
		}
		return s.Merge(ctx, []byte(note))
	})
}

func (r *rig) abortIn(s *Session) *call {
	return r.begin("abort of a session", func(ctx context.Context, _ *call) error { return s.Abort(ctx) })
}

// staged returns a session that has staged a row.
func (r *rig) staged() (*Session, context.CancelFunc) {
	r.t.Helper()
	s, leave := r.granted()
	c := r.stageIn(s, "x")
	r.expect(Stage, "x")
	c.gets(nil)
	return s, leave
}

// hasEnded checks that a session says in all ways how it has ended, and does nothing any more.
func (r *rig) hasEnded(s *Session, want error) {
	r.t.Helper()
	r.stageIn(s, "late").gets(want)
	r.discardIn(s, "late").gets(want)
	r.mergeIn(s, "late").gets(want)
	r.abortIn(s).gets(want)
	if !errors.Is(s.Err(), want) {
		r.t.Errorf("the session: %v, want %v", s.Err(), want)
	}
	r.idle()
}

func TestW2_ASessionIsOnFromItsGrantOn(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		s, _ := r.granted()
		began := time.Now()
		stage, merge, second, third := r.stage("p"), r.merge(), r.scratch(), r.scratch()
		put := r.put("a")
		r.expect(Put, "a")
		put.gets(nil)
		mine := r.stageIn(s, "m")
		r.expect(Stage, "m")
		mine.gets(nil)
		r.pass(time.Second)
		waits := r.put("b")
		gone := r.discardIn(s, "a")
		r.expect(Discard, "a")
		gone.gets(nil)
		for _, c := range []*call{stage, merge, second, third, waits} {
			c.waits()
		}
		if status, _ := r.Status(r.t.Context()); !status.ScratchSince.Equal(began) {
			t.Errorf("on since %v, want %v", status.ScratchSince, began)
		}
		r.stage("q").leavesHaving(WaitScratch, began, nil)
		r.merge().leavesHaving(WaitScratch, began, nil)
		third.leavesHaving(WaitScratch, began, nil)
		end := r.mergeIn(s, "n")
		if v := r.storeCall(); v.Kind != Merge || string(v.Note) != "n" {
			t.Fatalf("%s with note %q", v.Kind, v.Note)
		} else {
			v.end(fine)
		}
		end.gets(nil)
		merge.gets(nil)
		r.hasEnded(s, ErrScratchMerged)
		second.waits()
		r.merged(1)
		second.gets(nil)
		r.expect(Put, "b")
		stage.waits()
		abort := r.abortIn(second.session)
		abort.gets(nil)
		r.expect(Stage, "p")
		stage.gets(nil)
		r.hasEnded(second.session, ErrScratchAborted)
	})
}

// merged ends the fold of a generation.
func (r *rig) merged(generation uint32) {
	r.t.Helper()
	if err := r.store.fold(generation); err != nil {
		r.t.Fatal(err)
	}
	r.Folded(generation, nil)
	synctest.Wait()
}

// A plain session makes others wait for its end and its fold.
func TestW2_APlainSessionGoesFirst(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		r.stage("p")
		r.expect(Stage, "p")
		since := time.Now()
		r.pass(time.Second)
		s := r.scratch()
		more := r.stage("q")
		r.expect(Stage, "q")
		more.gets(nil)
		r.scratch().leavesHaving(WaitScratch, since, nil)
		r.merge()
		r.end(Merge, fine)
		s.waits()
		r.scratch().leavesHaving(WaitFold, time.Now(), nil)
		r.merged(1)
		s.gets(nil)
	})
}

func TestW2_AnAbortOrAClearOfAnybodyEndsASession(t *testing.T) {
	t.Parallel()
	for kind, end := range map[Kind]func(*rig) *call{Abort: (*rig).abort, Clear: (*rig).clear} {
		for _, hold := range []bool{false, true} {
			bubble(t, Config{}, View{}, func(r *rig) {
				s, _ := r.granted()
				if hold {
					r.stageIn(s, "x")
					r.expect(Stage, "x")
				}
				next, by := r.scratch(), end(r)
				if hold || kind == Clear {
					queued := r.mergeIn(s, "n")
					r.end(kind, fine)
					queued.gets(ErrScratchAborted)
				}
				by.gets(nil)
				r.hasEnded(s, ErrScratchAborted)
				next.gets(nil)
				own := r.stageIn(next.session, "y")
				r.expect(Stage, "y")
				own.gets(nil)
			})
		}
	}
}

// The end of the holder's context ends the session, whatever is under way.
func TestW2_TheHoldersContextIsTheSessionsLife(t *testing.T) {
	t.Parallel()
	for what, test := range map[string]func(r *rig){
		"idle": func(r *rig) {
			s, leave := r.granted()
			leave()
			synctest.Wait()
			r.idle()
			r.hasEnded(s, ErrScratchAborted)
			r.hasEnded(s, context.Canceled)
		},
		"with staged rows": func(r *rig) {
			s, leave := r.staged()
			put := r.put("a")
			leave()
			synctest.Wait()
			r.mergeIn(s, "n").gets(ErrScratchAborted)
			r.stageIn(s, "z").gets(ErrScratchAborted)
			r.end(Abort, fine)
			r.expect(Put, "a")
			put.gets(nil)
			r.hasEnded(s, ErrScratchAborted)
		},
		"with calls that wait": func(r *rig) {
			s, leave := r.granted()
			put := r.put("a")
			stage, merge := r.stageIn(s, "y"), r.mergeIn(s, "n")
			leave()
			stage.gets(ErrScratchAborted)
			merge.gets(ErrScratchAborted)
			r.expect(Put, "a")
			put.gets(nil)
			r.hasEnded(s, ErrScratchAborted)
		},
		"with a merge that was applied": func(r *rig) {
			s, leave := r.staged()
			merge := r.mergeIn(s, "")
			v := r.storeCall()
			leave()
			merge.waits()
			v.end(fine)
			merge.gets(nil)
			r.hasEnded(s, ErrScratchMerged)
		},
		"with a merge that was burned": func(r *rig) {
			s, leave := r.staged()
			merge := r.mergeIn(s, "")
			r.end(Merge, cut)
			leave()
			merge.waits()
			r.settle(fine)
			merge.gets(ErrScratchAborted)
			r.end(Abort, fine)
			r.hasEnded(s, ErrScratchAborted)
		},
		"with a merge whose answer was lost": func(r *rig) {
			s, leave := r.staged()
			merge := r.mergeIn(s, "")
			r.end(Merge, replyLost)
			leave()
			r.settle(fine)
			merge.gets(nil)
			r.hasEnded(s, ErrScratchMerged)
		},
		"with a merge that pauses": func(r *rig) {
			s, leave := r.staged()
			merge := r.mergeIn(s, "")
			r.end(Merge, away)
			leave()
			merge.gets(ErrScratchAborted)
			r.end(Abort, away)
			r.pass(time.Second)
			r.end(Abort, fine)
			r.hasEnded(s, ErrScratchAborted)
		},
	} {
		t.Run(what, func(t *testing.T) { inBubble(t, Config{}, View{}, test) })
	}
}

// A merge looks at the session's context when it leaves, also before the actor knows of its end.
func TestW2_AMergeDoesNotLeaveAfterTheHolder(t *testing.T) {
	t.Parallel()
	life, end := context.WithCancel(context.Background())
	defer end()
	s := &Session{life: life}
	for _, c := range []struct {
		kind Kind
		may  bool
	}{{Merge, false}, {Stage, true}, {Abort, true}} {
		r := newRequest(c.kind)
		r.session = s
		r.tryClaim()
		end()
		if e := (&Effect{requests: []*request{r}}); e.Depart() != c.may {
			t.Errorf("%s may depart: %t", c.kind, !c.may)
		}
	}
}

// Whose caller leaves while the outcome is unknown hears that, and the session ends with what settles.
func TestW2_AMergeOfUnknownOutcome(t *testing.T) {
	t.Parallel()
	for how, want := range map[fault]error{cut: nil, replyLost: ErrScratchMerged} {
		bubble(t, Config{}, View{}, func(r *rig) {
			s, _ := r.staged()
			merge := r.mergeIn(s, "n")
			r.end(Merge, how)
			merge.leavesWithUnknownOutcome()
			r.settle(fine)
			r.idle()
			if err := s.Err(); !errors.Is(err, want) {
				t.Errorf("the session: %v, want %v", err, want)
			}
			if want == nil {
				again := r.mergeIn(s, "n")
				r.end(Merge, fine)
				again.gets(nil)
			}
			r.hasEnded(s, ErrScratchMerged)
		})
	}
}

// With nothing staged a merge writes its note, or nothing.
func TestW2_AMergeOfNothing(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		s, _ := r.granted()
		r.mergeIn(s, "").gets(nil)
		r.idle()
		r.hasEnded(s, ErrScratchMerged)
		s, _ = r.granted()
		merge := r.mergeIn(s, "n")
		r.end(Apply, fine)
		merge.gets(nil)
		r.hasEnded(s, ErrScratchMerged)
		if r.store.note != "n" {
			t.Errorf("the note is %q", r.store.note)
		}
	})
}

// Rows of many calls of one session travel together; those of an ended one do not travel with the next.
func TestW2_TheWritesOfASessionAreJoined(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		s, _ := r.staged()
		hold := r.stageIn(s, "a")
		v := r.storeCall()
		calls := []*call{r.stageIn(s, "b"), r.stageIn(s, "c")}
		v.end(fine)
		hold.gets(nil)
		r.expect(Stage, "b c")
		for _, c := range calls {
			c.gets(nil)
		}
		abort := r.abortIn(s)
		v = r.storeCall()
		late, next := r.stageIn(s, "late"), r.scratch()
		v.end(fine)
		abort.gets(nil)
		late.gets(ErrScratchAborted)
		next.gets(nil)
		r.idle()
		mine := r.stageIn(next.session, "d")
		r.expect(Stage, "d")
		mine.gets(nil)
	})
}

// The table ends: the session says so, and nobody waits for one any more.
func TestW2_TheTableEnds(t *testing.T) {
	t.Parallel()
	for want, end := range map[error]func(*rig){
		ErrClosed: func(r *rig) { r.Close() },
		ErrFenced: func(r *rig) { r.FoundBroken(ErrFenced) },
	} {
		bubble(t, Config{}, View{}, func(r *rig) {
			s, leave := r.staged()
			next, merge := r.scratch(), r.merge()
			end(r)
			next.gets(want)
			merge.gets(want)
			r.hasEnded(s, want)
			leave()
			r.hasEnded(s, want)
			r.scratch().gets(want)
		})
	}
}

// An Abort of a holder who has left that the store refuses is tried again, and who waits hears why.
func TestW2_TheAbortOfAHolderWhoHasLeftIsTriedUntilItIsDone(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		_, leave := r.staged()
		since := time.Now()
		next := r.scratch()
		leave()
		for range 10 {
			r.end(Abort, refuse)
			r.pass(time.Second)
		}
		r.stage("p").leavesHaving(WaitScratch, since, errRefused)
		r.scratch().leavesHaving(WaitScratch, since, errRefused)
		next.gets(errRefused)
		r.end(Abort, fine)
		again := r.scratch()
		again.gets(nil)
	})
}
