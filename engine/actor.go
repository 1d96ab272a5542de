package engine

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// Actor owns one table's lock and applies all effects to the table. It is safe for concurrent use.
// Get one with Start, end it with Close.
type Actor struct {
	cfg       Config
	regular   intake         // Put, Delete, Apply, Update
	sweeps    intake         // with Config.WriteThrough: Delete with a span or conditions
	scratch   intake         // Stage, Discard, scratch spans: plain ones
	held      intake         // Stage, Discard of sessions that have a holder
	control   chan func()    // written by callers, read by run, which always receives it and calls the function
	closing   chan struct{}  // closed by Close
	abandoned chan struct{}  // holds one; written by callers that leave, read by run
	arrived   chan struct{}  // holds one; written by callers who have put a request into a mailbox while run is watchful, read by run
	watchful  atomic.Bool    // written by run: it must learn of requests in mailboxes that it does not receive from
	once      sync.Once      // for Close
	tooLate   chan struct{}  // closed by GiveUp
	onceLate  sync.Once      // for GiveUp
	wg        sync.WaitGroup // the run loop
	view      atomic.Pointer[View]
	reasons   reasons // what callers wait for

	// All below is the run loop's alone.
	machine        *machine
	events         []event // not yet handled by the machine, in order
	effector       effector
	lastTicket     ticket
	batches        map[ticket]*batch   // by the tickets of their effects
	pending        map[ticket]*request // requests that wait for a pin or for the clear state
	pinsToGrant    map[ticket]*Pin     // the pins of those that wait for one
	pins           map[ticket]*Pin
	lifetimes      lifetimes
	written        writtenThrough // with Config.WriteThrough
	gracePeriods   gracePeriods
	pauseTimer     *time.Timer // for the pauses of the current effect
	waitTimer      *time.Timer // runs while requests wait and nothing is sent: at its end the store is pinged
	watching       bool        // waitTimer runs
	foldPauseTimer *time.Timer
	rowBuffer      []Row     // the rows of the current effect
	givenUp        bool      // the call of the store under way was given up
	verdicts       []Verdict // of the latest outcome
	session        *Session  // that is on and has a holder; else nil
	since          sessionSince
}

// Start starts the actor of a table. found is the table's present view. No other actor of this process may
// have the same table. If the state is merging, the actor requests the fold at once. Close ends it.
func Start(cfg Config, store Store, found View) *Actor {
	cfg = cfg.withDefaults()
	a := &Actor{
		cfg:            cfg,
		regular:        newIntake(cfg.Mailbox),
		sweeps:         newIntake(cfg.Mailbox),
		scratch:        newIntake(cfg.Mailbox),
		held:           newIntake(cfg.Mailbox),
		control:        make(chan func()),
		closing:        make(chan struct{}),
		tooLate:        make(chan struct{}),
		abandoned:      make(chan struct{}, 1),
		arrived:        make(chan struct{}, 1),
		machine:        newMachine(found),
		effector:       newEffector(store),
		batches:        make(map[ticket]*batch),
		pending:        make(map[ticket]*request),
		pinsToGrant:    make(map[ticket]*Pin),
		pins:           make(map[ticket]*Pin),
		lifetimes:      newLifetimes(),
		gracePeriods:   gracePeriods{length: cfg.Grace, timer: newStoppedTimer()},
		pauseTimer:     newStoppedTimer(),
		waitTimer:      newStoppedTimer(),
		foldPauseTimer: newStoppedTimer(),
	}
	a.machine.tries, a.machine.writeThrough = cfg.Tries, cfg.WriteThrough
	a.publish()
	go a.effector.run()
	a.wg.Go(a.run)
	return a
}

// run is the only reader and writer of the actor's state. It never waits for Redis.
func (a *Actor) run() {
	defer close(a.effector.calls)
	defer a.stopTimers()
	a.tell(event{what: started})
	closing, tooLate := a.closing, (chan struct{})(nil)
	for !a.machine.ended() {
		m := a.machine
		a.regular.open, a.sweeps.open, a.scratch.open, a.held.open = m.admitsRegular(), m.admitsSweeps(), m.admitsScratch(), m.admitsHeld()
		if a.noteWaiting() {
			continue
		}
		select {
		case <-closing:
			closing, tooLate = nil, a.tooLate
			a.tell(event{what: closed})
		case <-tooLate:
			tooLate = nil
			a.handleTooLate()
		case handle := <-a.control:
			handle()
		case <-a.arrived: // noteWaiting, above, looks at the mailboxes
			a.tell(event{what: arrived})
		case <-a.abandoned:
			a.maybeDropAbandoned()
		case o := <-a.effector.outcomes:
			a.handleOutcome(o)
		case <-a.gracePeriods.timer.C:
			a.handleGracePeriods()
		case <-a.pauseTimer.C:
			a.tell(event{what: pauseOver})
		case <-a.waitTimer.C:
			a.watching = false
			a.tell(event{what: somebodyWaits})
		case <-a.foldPauseTimer.C:
			a.tell(event{what: foldPauseOver})
		case r := <-a.regular.incoming():
			a.handleRequest(&a.regular, r)
		case <-a.regular.deferredReady():
			a.handleRequest(&a.regular, a.regular.takeDeferred())
		case r := <-a.sweeps.incoming():
			a.handleRequest(&a.sweeps, r)
		case <-a.sweeps.deferredReady():
			a.handleRequest(&a.sweeps, a.sweeps.takeDeferred())
		case r := <-a.scratch.incoming():
			a.handleRequest(&a.scratch, r)
		case <-a.scratch.deferredReady():
			a.handleRequest(&a.scratch, a.scratch.takeDeferred())
		case r := <-a.held.incoming():
			a.handleRequest(&a.held, r)
		case <-a.held.deferredReady():
			a.handleRequest(&a.held, a.held.takeDeferred())
		}
	}
}

// noteWaiting tells the machine what it must know about requests that wait in the mailboxes. It returns whether it has told the
// machine anything.
func (a *Actor) noteWaiting() (told bool) {
	m := a.machine
	allOpen := a.regular.open && a.sweeps.open && a.scratch.open && a.held.open
	a.watchful.Store(a.effector.inquires() || m.unsettled != nil || m.waits(!allOpen)) // must come before the mailboxes are read
	served, waits := false, false
	for _, in := range []*intake{&a.regular, &a.sweeps, &a.scratch, &a.held} {
		served = served || in.open && in.len() > 0
		waits = waits || !in.open && in.len() > 0
	}
	switch {
	case (m.othersTurn || m.refusing != nil) && !served:
		a.tell(event{what: nobodyWaits})
		return true
	case waits && m.unsettled != nil && m.current.phase == settlePaused:
		a.tell(event{what: somebodyWaits})
		return true
	case !a.watching && m.waits(waits):
		a.watching = true
		a.waitTimer.Reset(a.cfg.Backoff.Most)
	case a.watching && !m.waits(waits):
		a.watching = false
		a.waitTimer.Stop()
	}
	return false
}

func (a *Actor) stopTimers() {
	a.gracePeriods.timer.Stop()
	a.pauseTimer.Stop()
	a.waitTimer.Stop()
	a.foldPauseTimer.Stop()
}

// tell gives an event to the machine and performs the actions that the machine returns. An event
// that an action causes is handled after them.
func (a *Actor) tell(e event) {
	a.events = append(a.events, e)
	if len(a.events) > 1 {
		return // an outer tell is running and will handle it
	}
	for i := 0; i < len(a.events); i++ {
		for _, x := range a.machine.step(a.events[i]) {
			a.perform(x)
		}
	}
	a.events = a.events[:0]
	a.reasons.update(a.machine)
	a.since.update(a.machine)
}

// handleRequest handles a request from a mailbox. It joins other requests to it that may share its effect.
func (a *Actor) handleRequest(in *intake, r *request) {
	if !r.needsEffect() {
		a.handleWithoutEffect(r)
		return
	}
	b := newBatch(r, min(in.len(), a.cfg.BatchRows))
	for next := in.next(); next != nil; next = in.next() {
		if !next.needsEffect() {
			a.handleWithoutEffect(next)
			continue
		}
		if !b.canJoin(next, &a.cfg) {
			in.deferred = next
			break
		}
		b.add(next)
	}
	t := a.newTicket()
	a.batches[t] = b
	a.tell(event{what: taken, ticket: t, kind: b.kind, session: b.session(), joined: len(b.requests) > 1, sweeps: r.kind == Delete && r.sweeps()})
}

// handleWithoutEffect finishes a request that needs no effect.
func (a *Actor) handleWithoutEffect(r *request) {
	switch {
	case r.isAbandoned(): // nobody waits for an answer
	case r.kind == 0:
		a.handleScratchSpan(r)
	default:
		r.answer(nil, r.spanErr())
	}
}

// handleScratchSpan answers with a span of the session, or with one that is not bound yet.
func (a *Actor) handleScratchSpan(r *request) {
	l := a.lifetimes.table
	if a.machine.view.State == StateActive {
		l = a.lifetimes.scratch
	}
	r.span.lifetime.Store(l)
	r.answer(nil, a.machine.refusesAll())
}

func (a *Actor) newTicket() ticket {
	a.lastTicket++
	return a.lastTicket
}

func (a *Actor) handleOutcome(o outcome) {
	a.effector.busy = false
	a.verdicts = o.result.Verdicts
	a.logOutcome(o)
	a.tell(event{what: o.what, result: o.result, err: o.err, general: o.general})
}

// handleTooLate handles the call of the store under way as one that ended without an answer.
func (a *Actor) handleTooLate() {
	a.givenUp = true
	if a.effector.busy {
		a.handleOutcome(outcome{what: unanswered, err: errGivenUp})
	}
}

func (a *Actor) logOutcome(o outcome) {
	if o.what == applied || errors.Is(o.err, ErrChanged) { // which is nothing unusual
		return
	}
	e := a.effector.effect
	fields := []zap.Field{zap.Stringer("kind", e.Kind), zap.Uint64("seq", e.Seq), zap.Error(o.err)}
	if b := a.batches[a.machine.current.ticket]; b != nil {
		fields = append(fields, zap.Int("bytes", b.bytes))
	}
	switch o.what {
	case tableBroken:
		a.cfg.Logger.Error("the table can no longer be written", fields...)
	case unanswered:
		a.cfg.Logger.Warn("the outcome of an effect is unknown", fields...)
	case unsettled:
		a.cfg.Logger.Warn("the outcome of an effect cannot be found out", fields...)
	case burned:
		a.cfg.Logger.Info("the effect was not applied and its number is void", append(fields, zap.NamedError("cause", a.machine.current.cause))...)
	case unpinged:
		a.cfg.Logger.Info("nothing gets through to the store", fields...)
	case postponed, refused:
		a.cfg.Logger.Warn("an effect was refused", fields...)
	}
}

// maybeDropAbandoned drops the effects, current or queued, whose callers have all left. An effect
// that may already be in the store is kept.
func (a *Actor) maybeDropAbandoned() {
	for t, b := range a.batches {
		if b.isAbandoned() && !a.machine.underWay(t) {
			a.drop(t)
		}
	}
}

func (a *Actor) handleGracePeriods() {
	for _, t := range a.gracePeriods.takeEnded() {
		a.tell(event{what: graceOver, ticket: t})
	}
}
