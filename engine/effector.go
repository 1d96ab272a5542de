package engine

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"time"
)

// effector is the goroutine that makes one call of the store at a time, and its two channels.
type effector struct {
	store    Store
	departs  bool           // the store lets effects depart itself
	calls    chan storeCall // holds one; written and closed by the actor, read by the effector
	outcomes chan outcome   // holds one; written by the effector, read by the actor
	ctx      context.Context
	cancel   context.CancelFunc // ends Settle, never Apply
	ended    chan struct{}      // closed by the effector
	busy     bool               // a call is under way; the actor's alone
	effect   *Effect            // the effect of the latest call; the actor's alone
	what     callType           // of the latest call; the actor's alone
}

// storeCall is one call of the store.
type storeCall struct {
	effect *Effect
	what   callType
}

type callType uint8

const (
	callApply callType = iota
	callSettle
	callPing // a Settle of nothing: does a small request get through?
)

// outcome is how a call of the store ended, as an event for the machine.
type outcome struct {
	what    eventType
	result  Result
	err     error
	general bool // for a refusal: see RefusedError.General
}

func newEffector(store Store) effector {
	ctx, cancel := context.WithCancel(context.Background())
	_, departs := store.(DepartingStore)
	return effector{store: store, departs: departs, calls: make(chan storeCall, 1), outcomes: make(chan outcome, 1), ctx: ctx, cancel: cancel,
		ended: make(chan struct{})}
}

// run makes the calls until the actor closes their channel. It never waits for the actor.
func (f *effector) run() {
	defer close(f.ended)
	for c := range f.calls {
		f.outcomes <- f.perform(c)
	}
}

// perform makes one call of the store. After a panic the outcome is unknown, as after a call without
// an answer.
func (f *effector) perform(c storeCall) (o outcome) {
	defer func() {
		if v := recover(); v != nil {
			o = outcome{what: c.what.unanswered(), err: fmt.Errorf("engine: the store panicked: %T\n%s", v, debug.Stack())}
		}
	}()
	switch c.what {
	case callSettle:
		return f.settle(c.effect)
	case callPing:
		return f.ping(c.effect)
	}
	return f.apply(c.effect)
}

// unanswered returns the event for a call without an answer.
func (c callType) unanswered() eventType {
	if c == callPing {
		return unpinged
	}
	return unanswered
}

// apply does not end with Close, so that the callers get the true result.
func (f *effector) apply(e *Effect) outcome {
	if !f.departs && !e.Depart() {
		return outcome{what: postponed, err: errNobodyWaits, general: true}
	}
	result, err := f.store.Apply(context.Background(), e)
	if err == nil {
		return outcome{what: applied, result: result}
	}
	var refusal *RefusedError
	switch {
	case errors.As(err, &refusal) && refusal.Temporary:
		return outcome{what: postponed, err: err, general: refusal.General}
	case refusal != nil:
		return outcome{what: refused, err: err, general: refusal.General}
	}
	return outcome{what: failure(err), err: err}
}

func (f *effector) settle(e *Effect) outcome {
	result, done, err := f.store.Settle(f.ctx, e)
	var refusal *RefusedError
	switch {
	case errors.As(err, &refusal) && !refusal.Temporary:
		return outcome{what: unsettled, err: err}
	case err != nil:
		return outcome{what: failure(err), err: err}
	case done:
		return outcome{what: applied, result: result}
	}
	return outcome{what: burned}
}

// ping settles nothing: it finds out whether a small request gets through.
func (f *effector) ping(e *Effect) outcome {
	_, _, err := f.store.Settle(f.ctx, e)
	switch {
	case err == nil:
		return outcome{what: pinged}
	case failure(err) == tableBroken:
		return outcome{what: tableBroken, err: err}
	}
	return outcome{what: unpinged, err: err}
}

// failure returns the event for an error that is no refusal.
func failure(err error) eventType {
	if errors.Is(err, ErrFenced) || errors.Is(err, ErrLost) {
		return tableBroken
	}
	return unanswered
}

// errNobodyWaits: an effect was not applied because its callers have left.
var errNobodyWaits = errors.New("engine: nobody waits for the effect")

// start hands a call over. The effector is idle, so start does not wait.
func (f *effector) start(c storeCall) {
	f.busy, f.effect, f.what = true, c.effect, c.what
	f.calls <- c
}

// inquires tells whether a Settle or a ping is under way.
func (f *effector) inquires() bool { return f.busy && f.what != callApply }

// Backoff bounds the pauses between two attempts. The first pause is First at most; the bound doubles each time, up
// to Most.
type Backoff struct {
	First time.Duration // 0 means 5 ms
	Most  time.Duration // 0 means 500 ms
}

// pause returns how long to wait after the given number of attempts: between half of the bound and all of it.
func (b Backoff) pause(attempts int) time.Duration {
	d := b.First
	for ; attempts > 1 && d < b.Most; attempts-- {
		d *= 2
	}
	d = min(d, b.Most)
	return d/2 + rand.N(d/2+1)
}
