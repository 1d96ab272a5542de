package engine

import (
	"errors"
	"testing"
)

// Spans: which calls belong together, and what ends them.

// spanIs checks how a span stands.
func (r *rig) spanIs(s *Span, want error) {
	r.t.Helper()
	if got := isClosed(s.Done()); got != (want != nil) || !errors.Is(s.Err(), want) {
		r.t.Errorf("the span is over: %t because %v, want %v", got, s.Err(), want)
	}
}

func (r *rig) scratchSpan() *Span {
	r.t.Helper()
	c := r.requestScratchSpan()
	c.gets(nil)
	return c.span
}

func (r *rig) regularSpan() *Span {
	r.t.Helper()
	c := r.requestRegularSpan()
	c.gets(nil)
	return c.span
}

// within returns a deletion by key that belongs to a span.
func within(s *Span, keys ...string) Deletion {
	d := marks(keys...)
	d.Span = s
	return d
}

func TestRegularSpanEndsWithAClearAndNothingElse(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		span := r.regularSpan()
		r.put("a")
		r.expect(Put, "a")
		r.stage("b")
		r.expect(Stage, "b")
		waiting := r.delete(within(span, "a"))
		r.merge()
		r.end(Merge, fine)
		r.spanIs(span, nil)
		waiting.waits()
		r.clear()
		r.end(Clear, fine)
		r.spanIs(span, ErrCleared)
		waiting.gets(ErrCleared)
		r.delete(within(span, "a")).gets(ErrCleared)
		next := r.delete(within(r.regularSpan(), "a"))
		r.expect(Delete, "a")
		next.gets(nil)
	})
}

func TestScratchSpanEndsWithItsSession(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		end  func(*rig) *call
		kind Kind
		want error
	}{{(*rig).merge, Merge, ErrScratchMerged}, {(*rig).abort, Abort, ErrScratchAborted}, {(*rig).clear, Clear, ErrScratchAborted}} {
		bubble(t, Config{}, View{State: StateActive}, func(r *rig) {
			span := r.scratchSpan()
			first := r.discard(within(span, "a"))
			r.expect(Discard, "a")
			first.gets(nil)
			r.spanIs(span, nil)
			c.end(r)
			v := r.storeCall()
			late := r.discard(within(span, "b"))
			v.end(fine)
			late.gets(c.want)
			r.spanIs(span, c.want)
			r.discard(within(span, "c")).gets(c.want)
			r.idle()
		})
	}
}

func TestScratchSpanIsBoundByTheDiscardThatBeginsTheSession(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		r.store.rows = map[string]string{"a": "a", "b": "b"}
		span, other, unused := r.scratchSpan(), r.scratchSpan(), r.scratchSpan()
		r.discard(within(span, "nothing"))
		r.expect(Discard, "nothing")
		r.stateIs(StateClear) // nothing was marked: no session, the span is not bound
		r.abort().gets(nil)
		r.spanIs(span, nil)

		r.discard(within(span, "a"))
		r.expect(Discard, "a")
		r.discard(within(other, "b")) // joins the session
		r.expect(Discard, "b")
		r.abort()
		r.end(Abort, fine)
		r.spanIs(span, ErrScratchAborted)
		r.spanIs(other, ErrScratchAborted)
		r.spanIs(unused, nil)
	})
}

func TestScratchSpanOfOneSessionIsNotOfTheNext(t *testing.T) {
	inBubble(t, Config{}, View{State: StateActive}, func(r *rig) {
		old := r.scratchSpan()
		r.abort()
		r.end(Abort, fine)
		r.stage("a")
		r.expect(Stage, "a")
		r.spanIs(old, ErrScratchAborted)
		r.spanIs(r.scratchSpan(), nil)
		r.discard(within(old, "a")).gets(ErrScratchAborted)
		r.idle()
	})
}

func TestScratchSpanWaitsWhileAMergeIsFolded(t *testing.T) {
	inBubble(t, Config{}, View{State: StateMerging}, func(r *rig) {
		c := r.requestScratchSpan()
		c.waits()
		r.Folded(0, nil)
		c.gets(nil)
		r.stateIs(StateClear)
	})
}

func TestSpanThatEndsBeforeAFullMailboxEndsTheCall(t *testing.T) {
	inBubble(t, Config{Mailbox: 1}, View{State: StateMerging}, func(r *rig) {
		span := r.regularSpan()
		r.put("a")
		outside := r.delete(within(span, "b"))
		clear := r.clear()
		v := r.storeCall()
		outside.waits()
		v.end(fine)
		clear.gets(nil)
		outside.gets(ErrCleared)
	})
}

func TestSpanThatEndsWhileItsDeletionIsUnderWayDoesNotHideTheOutcome(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		c := r.delete(within(r.regularSpan(), "a"))
		v := r.storeCall()
		go r.Close()
		c.waits()
		v.end(fine)
		c.gets(nil)
	})
}

func TestG13_SpansEndWithTheTable(t *testing.T) {
	inBubble(t, Config{}, View{State: StateActive}, func(r *rig) {
		spans := []*Span{r.regularSpan(), r.scratchSpan()}
		clear := r.clear()
		v := r.storeCall()
		go r.Close()
		for _, s := range spans {
			r.spanIs(s, ErrClosed)
		}
		v.end(fine) // ends no span again, and begins none
		clear.gets(nil)
		r.requestRegularSpan().gets(ErrClosed)
		r.requestScratchSpan().gets(ErrClosed)
	})
}
