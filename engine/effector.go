package engine

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"time"
)

// effector is the goroutine that talks to the store, one call at a time, and its two channels.
type effector struct {
	store   Store
	tasks   chan task    // of one; written and closed by the actor, read by the effector
	results chan outcome // of one; written by the effector, read by the actor
	ctx     context.Context
	cancel  context.CancelFunc // ends Settle, never Apply
	busy    bool               // the actor's: a task is under way
	effect  *Effect            // the actor's: the last one handed over
}

// task is one call of the store.
type task struct {
	effect *Effect
	settle bool
}

// outcome is what the call returned, as the machine is told.
type outcome struct {
	what   happening
	result Result
	err    error
}

func newEffector(store Store) effector {
	ctx, cancel := context.WithCancel(context.Background())
	return effector{store: store, tasks: make(chan task, 1), results: make(chan outcome, 1), ctx: ctx, cancel: cancel}
}

// run performs tasks until the actor closes them. It never waits for the actor.
func (f *effector) run() {
	for t := range f.tasks {
		f.results <- f.perform(t)
	}
}

// perform calls the store. Whether a call that panicked had its effect is unknown, as after one
// without an answer.
func (f *effector) perform(t task) (o outcome) {
	defer func() {
		if v := recover(); v != nil {
			o = outcome{what: lapsed, err: fmt.Errorf("engine: the store panicked: %T\n%s", v, debug.Stack())}
		}
	}()
	if t.settle {
		return f.settle(t.effect)
	}
	return f.apply(t.effect)
}

// apply is not ended by Close: the callers get the true result.
func (f *effector) apply(e *Effect) outcome {
	result, err := f.store.Apply(context.Background(), e)
	var no *RefusedError
	switch {
	case err == nil:
		return outcome{what: done, result: result}
	case errors.As(err, &no) && no.Temporary:
		return outcome{what: postponed, err: err}
	case no != nil:
		return outcome{what: refused, err: err}
	}
	return outcome{what: unanswered(err), err: err}
}

func (f *effector) settle(e *Effect) outcome {
	result, had, err := f.store.Settle(f.ctx, e)
	switch {
	case err != nil:
		return outcome{what: unanswered(err), err: err}
	case had:
		return outcome{what: done, result: result}
	}
	return outcome{what: burned}
}

func unanswered(err error) happening {
	if errors.Is(err, ErrFenced) || errors.Is(err, ErrLost) {
		return disowned
	}
	return lapsed
}

// start hands a task over. The effector is idle: this does not wait.
func (f *effector) start(t task) {
	f.busy, f.effect = true, t.effect
	f.tasks <- t
}

// Backoff bounds the pauses between two attempts: they begin with about First and double up to
// about Most.
type Backoff struct {
	First time.Duration // 0 means 5 ms
	Most  time.Duration // 0 means 500 ms
}

// pause returns how long to wait after the given number of attempts, between half and all of it.
func (b Backoff) pause(attempt int) time.Duration {
	d := b.First
	for ; attempt > 1 && d < b.Most; attempt-- {
		d *= 2
	}
	d = min(d, b.Most)
	return d/2 + rand.N(d/2+1)
}
