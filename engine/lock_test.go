package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// The lock as callers see it: who waits for what, and in which order they go on.

func TestD1_D2_D3_WritersWaitForTheStateTheyNeed(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		r.put("a")
		r.expect(Put, "a")
		r.stage("b")
		r.expect(Stage, "b")
		r.stateIs(StateActive)

		regular := []*call{r.put("c"), r.delete(marks("a"))}
		r.discard(marks("a"))
		r.expect(Discard, "a")
		merge := r.merge()
		r.end(Merge, fine)
		merge.gets(nil)
		r.stateIs(StateMerging)

		scratch := []*call{r.stage("d"), r.discard(marks("d")), r.requestScratchSpan()}
		r.idle()
		for _, c := range slices.Concat(regular, scratch) {
			c.waits()
		}
		r.merge().gets(nil) // nothing is staged any more
		r.abort().gets(nil)
		r.store.fold(1)
		r.Folded(1, nil)
		r.open()
		for _, c := range scratch {
			c.gets(nil)
		}
	})
}

func TestD2_RegularWritesGoOnAfterAnAbort(t *testing.T) {
	inBubble(t, Config{}, View{State: StateActive}, func(r *rig) {
		put, wait := r.put("a"), r.waitClear()
		r.idle()
		wait.waits()
		abort := r.abort()
		r.end(Abort, fine)
		abort.gets(nil)
		wait.gets(nil)
		r.expect(Put, "a")
		put.gets(nil)
	})
}

// crowd begins more regular writes than the mailbox of 4 holds: puts of p0 to p19, and a delete after each fifth.
func (r *rig) crowd() (calls []*call, order []string) {
	for i := range 20 {
		key := fmt.Sprint("p", i)
		order = append(order, "put "+key)
		calls = append(calls, r.put(key))
		if i%5 == 4 {
			order = append(order, "delete "+key)
			calls = append(calls, r.delete(marks(key)))
		}
	}
	r.idle()
	return calls, order
}

// appliedKeys returns the applied effects, split into their keys.
func (s *fakeStore) appliedKeys() (all []string) {
	for _, e := range s.effects() {
		for key := range strings.FieldsSeq(e.keys()) {
			all = append(all, e.Kind.String()+" "+key)
		}
	}
	return all
}

func TestD10_WhatFreesWaitingPutsGetsThrough(t *testing.T) {
	inBubble(t, Config{Mailbox: 4}, View{State: StateActive}, func(r *rig) {
		puts, order := r.crowd()
		stage := r.stage("s")
		r.expect(Stage, "s")
		stage.gets(nil)
		r.requestPin().gets(nil)
		r.requestRegularSpan().gets(nil)
		r.requestScratchSpan().gets(nil)
		if s, err := r.Status(context.Background()); err != nil || s.Mailbox != 4 || s.Pins != 1 || s.View.State != StateActive {
			t.Errorf("status %+v, %v", s, err)
		}
		merge := r.merge()
		r.end(Merge, fine)
		merge.gets(nil)
		r.pass(6 * time.Second) // the pin's grace: the fold waited for it
		r.store.fold(1)
		r.Folded(1, nil)
		r.open()
		for _, c := range puts {
			c.gets(nil)
		}
		if got := r.store.appliedKeys()[1:]; !slices.Equal(got, order) {
			t.Errorf("the waiting writes were applied in the order\n%q, want that of their arrival\n%q", got, order)
		}
	})
}

func TestD10_ClearDoesNotWaitForWritersOfEitherKind(t *testing.T) {
	inBubble(t, Config{Mailbox: 4}, View{State: StateMerging}, func(r *rig) {
		puts, _ := r.crowd()
		var stages []*call
		for i := range 20 {
			stages = append(stages, r.stage(fmt.Sprint("s", i)))
		}
		clear := r.clear()
		r.end(Clear, fine)
		clear.gets(nil)
		r.stateIs(StateClear)
		r.open()
		for _, c := range stages {
			c.gets(nil)
		}
		r.abort().gets(nil)
		r.open()
		for _, c := range puts {
			c.gets(nil)
		}
	})
}

func TestD10_CloseDoesNotWaitForWaitingWriters(t *testing.T) {
	inBubble(t, Config{Mailbox: 4}, View{State: StateMerging}, func(r *rig) {
		puts, _ := r.crowd()
		stages := []*call{r.stage("a"), r.stage("b"), r.stage("c"), r.stage("d"), r.stage("e")}
		r.Close()
		for _, c := range slices.Concat(puts, stages) {
			c.gets(ErrClosed)
		}
		if len(r.store.effects()) != 0 {
			t.Errorf("%q were applied", r.store.appliedKeys())
		}
	})
}

func TestD11_ClearRunsInAnyState(t *testing.T) {
	t.Parallel()
	for _, state := range []State{StateClear, StateActive, StateMerging} {
		bubble(t, Config{}, View{State: state, Generation: 4}, func(r *rig) {
			wait := r.waitClear()
			clear := r.clear()
			r.end(Clear, fine)
			clear.gets(nil)
			wait.gets(nil)
			r.Folded(4, errors.New("too late to matter"))
			r.stateIs(StateClear)
			if got := r.View().Generation; got != 4 {
				t.Errorf("generation %d after a clear while %s, want 4", got, state)
			}
		})
	}
}

func TestWaitClear(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		r.waitClear().gets(nil)
		r.stage("a")
		r.expect(Stage, "a")
		waits := []*call{r.waitClear(), r.waitClear(), r.waitClear()}
		waits[1].leaves()
		r.merge()
		r.end(Merge, fine)
		waits[0].waits()
		r.Folded(1, nil)
		waits[0].gets(nil)
		waits[2].gets(nil)
	})
}

func TestD7_FoldIsRequestedAgainAfterAPause(t *testing.T) {
	inBubble(t, Config{Backoff: Backoff{First: time.Second, Most: 4 * time.Second}}, View{State: StateMerging, Generation: 7}, func(r *rig) {
		requested := []uint32{7}
		for _, most := range []time.Duration{1, 2, 4, 4} {
			r.Folded(7, errors.New("broken"))
			r.pass(most*time.Second/2 - 1)
			r.foldsAre(requested...)
			r.pass(most*time.Second/2 + 1)
			requested = append(requested, 7)
			r.foldsAre(requested...)
		}
		r.Folded(6, nil) // of another generation
		r.stateIs(StateMerging)
		r.Folded(7, nil)
		r.stateIs(StateClear)
		r.Folded(7, errors.New("twice"))
		r.pass(time.Minute)
		r.foldsAre(requested...)
	})
}

func TestG10_FoundMergingIsFoldedAtOnce(t *testing.T) {
	inBubble(t, Config{}, View{State: StateMerging, Generation: 9}, func(r *rig) {
		put := r.put("a")
		r.foldsAre(9)
		put.waits()
		r.store.fold(9)
		r.Folded(9, nil)
		r.expect(Put, "a")
		put.gets(nil)
	})
}

func TestGenerationsExhausted(t *testing.T) {
	inBubble(t, Config{}, View{Generation: maxGeneration}, func(r *rig) {
		for _, c := range []*call{r.stage("a"), r.discard(marks("a")), r.merge()} {
			c.gets(ErrGenerationsExhausted)
		}
		r.abort().gets(nil)
		put := r.put("a")
		r.expect(Put, "a")
		put.gets(nil)
	})
}

func TestDefaultFoldDoesNothing(t *testing.T) {
	t.Parallel()
	store := newFakeStore()
	store.truth.State = StateMerging
	a := Start(Config{}, store, store.truth)
	defer a.Close()
	a.Folded(0, nil)
	if err := a.WaitClear(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestWritesOfNothingOnlyCheckThatTheTableIsUsable(t *testing.T) {
	inBubble(t, Config{}, View{State: StateMerging}, func(r *rig) {
		none := []func() *call{func() *call { return r.put() }, func() *call { return r.stage() },
			func() *call { return r.delete(Deletion{}) }, func() *call { return r.discard(Deletion{}) }}
		for _, begin := range none {
			begin().gets(nil)
		}
		r.idle()
		r.Close()
		for _, begin := range none {
			begin().gets(ErrClosed)
		}
	})
}
