package engine

import (
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// Actor owns one table's lock and has all effects on it. It is safe for concurrent use. Get one
// with Start, end it with Close.
type Actor struct {
	cfg     Config
	regular intake         // Put, Delete
	scratch intake         // Stage, Discard, scratch spans
	control chan func()    // written by callers, read by run: what is always taken, run in its goroutine
	closing chan struct{}  // closed by Close
	leaving chan struct{}  // of one; written by callers that leave, read by run
	once    sync.Once      // of Close
	wg      sync.WaitGroup // the run loop and the effector
	view    atomic.Pointer[View]

	// All below is the run loop's alone.
	lock     *machine
	events   []event // told to the lock in this order
	effector effector
	last     ticket
	jobs     map[ticket]*batch   // what the lock calls jobs
	asks     map[ticket]*request // calls that wait for a pin or for the clear state
	grants   map[ticket]*Pin     // the pins of those that wait for one
	pins     map[ticket]*Pin
	periods  periods
	graces   graces
	pause    *time.Timer // of the current job
	refold   *time.Timer // of the fold
	rows     []Row       // the buffer of the effect under way
	verdicts []Verdict   // of the last outcome
}

// Start starts the actor of a table that is in the found view, which no other actor of this
// process may have. Where the view is merging it asks for the fold at once. Close ends it.
func Start(cfg Config, store Store, found View) *Actor {
	cfg = cfg.withDefaults()
	a := &Actor{
		cfg:      cfg,
		regular:  newIntake(cfg.Mailbox),
		scratch:  newIntake(cfg.Mailbox),
		control:  make(chan func()),
		closing:  make(chan struct{}),
		leaving:  make(chan struct{}, 1),
		lock:     newMachine(found),
		effector: newEffector(store),
		jobs:     make(map[ticket]*batch),
		asks:     make(map[ticket]*request),
		grants:   make(map[ticket]*Pin),
		pins:     make(map[ticket]*Pin),
		periods:  newPeriods(),
		graces:   graces{length: cfg.Grace, alarm: newAlarm()},
		pause:    newAlarm(),
		refold:   newAlarm(),
	}
	a.publish()
	a.wg.Go(a.effector.run)
	a.wg.Go(a.run)
	return a
}

// run is the only reader and writer of the actor's state. It never waits for Redis.
func (a *Actor) run() {
	defer close(a.effector.tasks)
	defer a.stopAlarms()
	a.tell(event{what: began})
	closing := a.closing
	for !a.lock.ended() {
		regular, scratch := a.lock.admitsRegular(), a.lock.admitsScratch()
		select {
		case <-closing:
			closing = nil
			a.tell(event{what: closed})
		case handle := <-a.control:
			handle()
		case <-a.leaving:
			a.maybeDrop()
		case o := <-a.effector.results:
			a.handleOutcome(o)
		case <-a.graces.alarm.C:
			a.handleGraces()
		case <-a.pause.C:
			a.tell(event{what: rested})
		case <-a.refold.C:
			a.tell(event{what: foldRested})
		case r := <-a.regular.fresh(regular):
			a.handleRequest(&a.regular, r)
		case <-a.regular.ready(regular):
			a.handleRequest(&a.regular, a.regular.release())
		case r := <-a.scratch.fresh(scratch):
			a.handleRequest(&a.scratch, r)
		case <-a.scratch.ready(scratch):
			a.handleRequest(&a.scratch, a.scratch.release())
		}
	}
}

func (a *Actor) stopAlarms() {
	a.graces.alarm.Stop()
	a.pause.Stop()
	a.refold.Stop()
}

// tell tells the lock of an event, and does what it orders. What that leads to is told after it.
func (a *Actor) tell(e event) {
	a.events = append(a.events, e)
	if len(a.events) > 1 {
		return // told by the call that is under way
	}
	for i := 0; i < len(a.events); i++ {
		for _, order := range a.lock.step(a.events[i]) {
			a.perform(order)
		}
	}
	a.events = a.events[:0]
}

// handleRequest takes a request from a mailbox, and what else may travel with it.
func (a *Actor) handleRequest(in *intake, r *request) {
	if !a.stands(r) {
		return
	}
	b := newBatch(r, min(in.len(), a.cfg.BatchRows))
	for next := in.next(); next != nil; next = in.next() {
		if !a.stands(next) {
			continue
		}
		if !b.joins(next, &a.cfg) {
			in.held = next
			break
		}
		b.add(next)
	}
	t := a.ticket()
	a.jobs[t] = b
	a.tell(event{what: taken, ticket: t, kind: b.kind})
}

// stands tells whether a request still asks for an effect.
func (a *Actor) stands(r *request) bool {
	switch err := r.spanErr(); {
	case r.isGone():
		return false
	case r.kind == 0:
		a.handleScratchSpan(r)
		return false
	case err != nil:
		r.answer(nil, err)
		return false
	}
	return true
}

// handleScratchSpan answers with a span of the session, or with one that is not bound yet.
func (a *Actor) handleScratchSpan(r *request) {
	p := a.periods.life
	if a.lock.view.State == StateActive {
		p = a.periods.scratch
	}
	r.span.period.Store(p)
	r.answer(nil, a.lock.over)
}

func (a *Actor) ticket() ticket {
	a.last++
	return a.last
}

func (a *Actor) handleOutcome(o outcome) {
	a.effector.busy = false
	a.verdicts = o.result.Verdicts
	a.logOutcome(o)
	a.tell(event{what: o.what, result: o.result, err: o.err})
}

func (a *Actor) logOutcome(o outcome) {
	if o.what == done {
		return
	}
	e := a.effector.effect
	fields := []zap.Field{zap.Stringer("kind", e.Kind), zap.Uint64("seq", e.Seq), zap.Error(o.err)}
	switch o.what {
	case disowned:
		a.cfg.Logger.Error("the table can no longer be written", fields...)
	case lapsed:
		a.cfg.Logger.Warn("the outcome of an effect is unknown", fields...)
	case burned:
		a.cfg.Logger.Info("the effect was not had and its number is void", fields...)
	case postponed, refused:
		a.cfg.Logger.Warn("an effect was refused", fields...)
	}
}

// maybeDrop drops the jobs, current or queued, that nobody wants and that are not under way.
func (a *Actor) maybeDrop() {
	for t, b := range a.jobs {
		if b.abandoned() && !a.lock.underWay(t) {
			a.drop(t)
		}
	}
}

func (a *Actor) handleGraces() {
	for _, t := range a.graces.ended() {
		a.tell(event{what: graceOver, ticket: t})
	}
}
