package engine

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

// P1: a read has found that the table is fenced, while nothing is sent or an effect waits. All that waits ends at once, in and
// before the mailboxes too, and all that comes later.
func TestP1_WhatAReadHasFoundEndsEverything(t *testing.T) {
	t.Parallel()
	for _, want := range []error{ErrFenced, fmt.Errorf("%w: it went back", ErrLost)} {
		bubble(t, Config{Mailbox: 1}, View{State: StateActive}, func(r *rig) {
			pin := r.pin()
			spans := []*call{r.requestRegularSpan(), r.requestScratchSpan()}
			waiting := []*call{r.put("in the mailbox"), r.put("before a full mailbox"), r.delete(marks("c")), r.clear(), r.repair(), r.waitClear(), r.requestPin()}
			if isClosed(r.Done()) || r.Err() != nil {
				t.Fatalf("done before the end: %v", r.Err())
			}
			r.FoundBroken(want)
			for _, c := range waiting {
				c.gets(want)
				if errors.Is(c.err, ErrUnknownOutcome) {
					t.Errorf("%s: %v, want to know the outcome", c.what, c.err)
				}
			}
			for _, c := range spans {
				r.spanIs(c.span, want)
			}
			r.pinIs(pin, true, want) // the clear waits for it
			if !isClosed(r.Done()) || !errors.Is(r.Err(), want) {
				t.Errorf("done: %v, because %v", isClosed(r.Done()), r.Err())
			}
			for _, c := range []*call{r.put("x"), r.stage("x"), r.merge(), r.abort(), r.waitClear(), r.requestPin(), r.requestScratchSpan()} {
				c.gets(want)
			}
			if s, err := r.Status(context.Background()); err != nil || !errors.Is(s.Broken, want) {
				t.Errorf("status %+v, %v", s, err)
			}
			r.FoundBroken(errors.New("another reason"))
			r.Close()
			if !errors.Is(r.Err(), want) {
				t.Errorf("the first reason is gone: %v", r.Err())
			}
		})
	}
}

// An effect under way gets its true result, although a read has found meanwhile that the table is fenced.
func TestP1_AnEffectUnderWayGetsItsTrueResult(t *testing.T) {
	t.Parallel()
	for _, how := range []struct {
		fault
		want []error
	}{{fine, []error{nil}}, {takeover, []error{ErrFenced}}, {postpone, []error{ErrFenced}}, {replyLost, []error{ErrUnknownOutcome, ErrFenced}}} {
		bubble(t, Config{}, View{}, func(r *rig) {
			put := r.put("a")
			v := r.storeCall()
			r.FoundBroken(ErrFenced)
			r.put("b").gets(ErrFenced)
			put.waits()
			v.end(how.fault)
			put.gets(how.want...)
		})
	}
}

func TestDoneAndErrOfAClosedTable(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		r.Close()
		r.FoundBroken(ErrFenced) // too late
		if !isClosed(r.Done()) || r.Err() != ErrClosed {
			t.Errorf("done: %v, because %v", isClosed(r.Done()), r.Err())
		}
	})
}
