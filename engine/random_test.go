package engine

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestMachineAtRandom lets one machine after the other handle random events, of all that can happen at each moment, and
// checks each of its actions. In the end everything under way ends well, and nobody may be left waiting.
func TestMachineAtRandom(t *testing.T) {
	t.Parallel()
	t.Logf("-seed %d", *seed)
	rng := rand.New(rand.NewPCG(*seed, 0))
	for range 500 {
		s := &simulation{t: t, rng: rng, m: newMachine(View{}), requests: map[ticket]Kind{}, pins: map[ticket]*pinState{},
			sessions: map[ticket]ticket{}}
		s.m.writeThrough = rng.IntN(2) == 0
		s.tell(event{what: started})
		for range rng.IntN(2000) {
			s.doSomething()
		}
		s.windDown()
		if t.Failed() {
			return
		}
	}
}

// simulation is actor, callers and store in one, for a machine. It learns about the machine from its actions alone.
type simulation struct {
	t           *testing.T
	rng         *rand.Rand
	m           *machine
	truth       View // of the store
	lastTicket  ticket
	requests    map[ticket]Kind // not answered; 0: waits for the clear state
	pinRequests []ticket        // not answered
	pins        map[ticket]*pinState
	sent        *action  // the latest effect that was sent
	applied     bool     // whether it was applied
	sentPhase   phase    // its phase if it is under way: applying, settling or pinging; else none
	parts       []event  // that follow from actions: not yet told
	sweeping    ticket   // the latest Delete that runs in the clear state alone
	needless    bool     // nothing is left of the effect that is to be sent
	spared      ticket   // the latest of these
	remembered  int      // effects since the session began
	written     int      // those that must be
	paused      bool     // a pause runs
	folds       []uint32 // those under way; only the end of the last counts
	foldPaused  bool
	over        bool // closed or fenced

	sessions        map[ticket]ticket // which session an effect belongs to
	sessionRequests []ticket          // not answered
	session         ticket            // that is on and has a holder
	left            bool              // its holder has left
}

func (s *simulation) newTicket() ticket {
	s.lastTicket++
	return s.lastTicket
}

// doSomething makes one event happen, of those that can.
func (s *simulation) doSomething() {
	can := []func(){s.hold, s.write, s.write, s.write, s.command, s.request, s.leave, s.leave, s.answer, s.answer, s.answer, s.answer,
		s.pause, s.pause, s.fold, s.rest}
	if s.rng.IntN(2000) == 0 {
		can = []func(){s.close, s.fence}
	}
	can[s.rng.IntN(len(can))]()
}

func (s *simulation) write() {
	kinds := []Kind{}
	if s.m.admitsRegular() {
		kinds = append(kinds, Put, Delete, Apply, Update)
	}
	if s.m.admitsScratch() {
		kinds = append(kinds, Stage, Discard, DiscardAll)
	}
	if s.m.admitsSweeps() && s.rng.IntN(8) == 0 {
		s.sweep()
		return
	}
	if len(kinds) > 0 {
		s.begin(taken, kinds[s.rng.IntN(len(kinds))], 0)
	}
}

// sweep begins a Delete that runs in the clear state alone.
func (s *simulation) sweep() {
	t := s.newTicket()
	s.requests[t], s.sweeping = Delete, t
	s.tell(event{what: taken, ticket: t, kind: Delete, sweeps: true})
}

func (s *simulation) command() {
	s.begin(commanded, []Kind{Merge, Merge, Merge, Abort, Clear, Clear, Repair, Complete}[s.rng.IntN(8)], 0)
}

func (s *simulation) begin(what eventType, k Kind, session ticket) {
	t := s.newTicket()
	s.requests[t] = k
	s.sessions[t] = session
	s.tell(event{what: what, ticket: t, kind: k, session: session, joined: what == taken && s.rng.IntN(2) == 0, noted: s.rng.IntN(2) == 0})
}

// hold requests a session, or does something in the one that is on.
func (s *simulation) hold() {
	switch n := s.rng.IntN(10); {
	case s.session == 0 || n == 0:
		t := s.newTicket()
		s.sessionRequests = append(s.sessionRequests, t)
		s.tell(event{what: sessionRequested, ticket: t})
	case n < 6 && s.m.admitsHeld() && !s.left:
		s.begin(taken, []Kind{Stage, Discard, DiscardAll}[s.rng.IntN(3)], s.session)
	case n < 8 && !s.left:
		s.begin(commanded, []Kind{Merge, Merge, Abort}[s.rng.IntN(3)], s.session)
	case n == 8:
		s.left = true
		s.tell(event{what: holderLeft, ticket: s.session, err: ErrScratchAborted})
	}
}

func (s *simulation) request() {
	t := s.newTicket()
	if s.rng.IntN(3) == 0 {
		s.requests[t] = 0
		s.tell(event{what: clearAwaited, ticket: t})
		return
	}
	s.pinRequests = append(s.pinRequests, t)
	s.tell(event{what: pinRequested, ticket: t})
}

// leave makes a caller leave or release a pin, or ends a grace period.
func (s *simulation) leave() {
	if s.rng.IntN(2) == 0 {
		for t, p := range s.pins {
			if p.hurried && s.rng.IntN(2) == 0 {
				s.tell(event{what: graceOver, ticket: t})
				return
			}
			delete(s.pins, t)
			s.tell(event{what: withdrawn, ticket: t})
			return
		}
	}
	if len(s.pinRequests) > 0 && s.rng.IntN(2) == 0 {
		t := s.pinRequests[0]
		s.pinRequests = s.pinRequests[1:]
		s.tell(event{what: withdrawn, ticket: t})
		return
	}
	if len(s.sessionRequests) > 0 && s.rng.IntN(2) == 0 {
		t := s.sessionRequests[0]
		s.sessionRequests = s.sessionRequests[1:]
		s.tell(event{what: withdrawn, ticket: t})
		return
	}
	for t, k := range s.requests {
		switch {
		case s.m.underWay(t):
			continue
		case k == 0:
			delete(s.requests, t)
			s.tell(event{what: withdrawn, ticket: t})
		default:
			delete(s.requests, t)
			s.tell(event{what: dropped, ticket: t})
		}
		return
	}
}

// answer ends the Apply or Settle under way.
func (s *simulation) answer() {
	switch s.sentPhase {
	case applying:
		s.answerApply([]eventType{applied, applied, applied, refused, postponed, unanswered, unanswered}[s.rng.IntN(7)])
	case settling:
		s.answerSettle(s.rng.IntN(3) == 0)
	case pinging:
		s.answerPing([]eventType{pinged, unpinged}[s.rng.IntN(2)])
	}
}

func (s *simulation) answerApply(how eventType) {
	if how == applied || how == unanswered && s.rng.IntN(2) == 0 {
		s.applySent()
	}
	if how == applied && !s.applied {
		s.t.Fatal("the simulation answers applied, but has not applied the effect")
	}
	s.sentPhase = none
	e := event{what: how, result: s.result(), general: s.rng.IntN(2) == 0}
	if how != applied {
		e.err = errRefused
	}
	s.tell(e)
}

func (s *simulation) answerSettle(answerLost bool) {
	s.sentPhase = none
	switch {
	case answerLost && s.rng.IntN(2) == 0:
		s.tell(event{what: unsettled, err: errRefused})
	case answerLost:
		s.tell(event{what: unanswered, err: errNoAnswer})
	case s.applied:
		s.tell(event{what: applied, result: s.result()})
	default:
		s.truth.Seq += 2
		s.tell(event{what: burned})
	}
}

func (s *simulation) answerPing(how eventType) {
	s.sentPhase = none
	s.tell(event{what: how, err: &RefusedError{Err: errRefused, Temporary: s.rng.IntN(2) == 0}})
}

// rest tells the machine that no request waits in a mailbox, or that one waits that may not be taken.
func (s *simulation) rest() {
	switch {
	case s.m.othersTurn || s.m.refusing != nil:
		s.tell(event{what: nobodyWaits})
	case s.sentPhase == none && !s.over:
		s.tell(event{what: somebodyWaits})
	}
}

func (s *simulation) result() Result {
	return Result{State: s.truth.State, Whole: s.truth.Whole, Generation: s.truth.Generation, Version: s.truth.Version}
}

// applySent applies the effect that was sent.
func (s *simulation) applySent() {
	s.applied = true
	s.truth.Seq++
	if s.m.writeThrough && s.sent.kind.isRegular() && (s.truth.State == StateActive || s.session != 0) {
		s.written++
	}
	switch s.sent.kind {
	case Put, Delete, Repair, Apply, Update:
		s.truth.Version++
	case Stage:
		s.truth.State = StateActive
	case Discard:
		if s.rng.IntN(2) == 0 {
			s.truth.State = StateActive
		}
	case DiscardAll:
		s.truth.Whole = s.truth.State == StateClear || s.truth.Whole
		s.truth.State = StateActive
	case Merge:
		s.truth.State, s.truth.Generation = StateMerging, s.truth.Generation+1
	case Abort:
		s.truth.State, s.truth.Whole = StateClear, false
	case Clear:
		s.truth.State, s.truth.Whole = StateClear, false
		s.truth.Version++
	}
}

func (s *simulation) pause() {
	switch {
	case s.paused:
		s.paused = false
		s.tell(event{what: pauseOver})
	case s.foldPaused:
		s.foldPaused = false
		s.tell(event{what: foldPauseOver})
	}
}

func (s *simulation) fold() {
	if len(s.folds) == 0 {
		return
	}
	i := s.rng.IntN(len(s.folds))
	e := event{what: folded, generation: s.folds[i]}
	s.folds = slices.Delete(s.folds, i, i+1)
	if s.rng.IntN(2) == 0 {
		e.err = &RefusedError{Err: errors.New("broken"), Temporary: s.rng.IntN(2) == 0}
	} else if s.truth.State == StateMerging && s.truth.Generation == e.generation {
		s.truth.State, s.truth.Whole = StateClear, false
	}
	s.tell(e)
}

func (s *simulation) close() { s.over = true; s.tell(event{what: closed}) }

func (s *simulation) fence() {
	if s.sentPhase != none {
		s.sentPhase, s.over = none, true
		s.tell(event{what: tableBroken, err: ErrFenced})
	}
}

// tell gives an event to the machine, checks its actions and performs them.
func (s *simulation) tell(e event) {
	for _, a := range s.m.step(e) {
		s.handleAction(a)
	}
	for s.needless {
		s.needless = false
		for _, a := range s.m.step(event{what: needless}) {
			s.handleAction(a)
		}
	}
	s.mustNot(!s.over && s.remembered != s.written && s.sentPhase == none && s.m.current.phase == none,
		fmt.Sprintf("%d effects are remembered, not %d", s.remembered, s.written))
	for len(s.parts) > 0 {
		e := s.parts[0]
		s.parts = s.parts[1:]
		if e.what != dropped {
			s.requests[e.ticket], s.sessions[e.ticket] = e.kind, e.session
		}
		s.tell(e)
	}
	if !s.over {
		s.checkWaits()
	}
}

// checkWaits checks that an effect or fold that waits for pins has some to wait for, that these hurry, and that requests for
// pins wait only while an effect has the lock and is not paused.
func (s *simulation) checkWaits() {
	countPins := func(waitsFor func(pinState) bool) (n int) {
		for _, p := range s.m.pins {
			if waitsFor(p) {
				s.mustNot(s.pins[p.ticket] == nil || !s.pins[p.ticket].hurried, "a pin is waited for and does not hurry")
				n++
			}
		}
		return n
	}
	if s.m.current.phase == holding {
		s.mustNot(countPins(s.m.effectWaitsFor) == 0, "an effect waits for no pin")
	}
	if s.m.fold == foldHolding {
		s.mustNot(countPins(func(p pinState) bool { return p.generation < s.truth.Generation }) == 0, "the fold waits for no pin")
	}
	idle := s.m.current.phase == none || s.m.current.phase == paused || s.m.current.phase == pinging
	s.mustNot(idle && len(s.pinRequests) > 0, "a reader waits for nothing")
}

func (s *simulation) handleAction(a action) {
	switch a.do {
	case doSend:
		if !s.checkSession(a) {
			delete(s.requests, a.ticket)
			s.parts = append(s.parts, event{what: dropped, ticket: a.ticket})
			return
		}
		s.mustNot(s.sentPhase != none, "an effect is sent while another is under way")
		s.mustNot(a.view.Seq != s.truth.Seq, "an effect is sent after a number that is not the table's")
		s.mustNot(a.view.State != s.truth.State && a.view.State != StateMerging, "an effect is sent in a state that is not the table's")
		s.mustNot(s.over, "an effect is sent though the table has ended")
		s.mustNot(s.disturbs(a.kind), "an effect is sent under a pin")
		s.mustNot(a.kind.isRegular() && s.truth.State != StateClear && (!s.m.writeThrough || s.truth.State == StateMerging || a.ticket == s.sweeping),
			"a regular effect is sent beside a session")
		s.sent, s.sentPhase, s.applied = &a, applying, false
		if s.m.writeThrough && a.kind.isScratch() && s.truth.State == StateActive && s.rng.IntN(8) == 0 {
			s.needless, s.spared, s.sentPhase = true, a.ticket, none
		}
	case doRemember:
		s.remembered++
	case doForget:
		s.remembered, s.written = 0, 0
	case doSettle:
		s.mustNot(s.sentPhase != none || a.ticket != s.sent.ticket && a.ticket != 0, "something else is settled")
		s.sentPhase = settling
	case doPing:
		s.mustNot(s.sentPhase != none || s.applied && a.ticket != 0, "a ping follows an effect that was applied")
		s.sentPhase = pinging
	case doUnclaim:
		s.mustNot(s.applied, "an applied effect is unclaimed")
	case doPart:
		s.mustNot(s.applied, "an applied effect is taken apart")
		delete(s.requests, a.ticket)
		for range 1 + s.rng.IntN(3) {
			s.parts = append(s.parts, event{what: parted, ticket: s.newTicket(), kind: s.sent.kind, session: s.sessions[a.ticket]})
		}
	case doGiveUp:
		s.mustNot(a.err == nil, "an effect is given up without a reason")
		s.handleAnswer(a)
	case doPause:
		s.paused = true
	case doAnswer:
		s.handleAnswer(a)
	case doGrant:
		s.handleGrant(a)
	case doHurry:
		p := s.pins[a.ticket]
		s.mustNot(p == nil || p.hurried, "a pin is hurried twice or too late")
		p.hurried = true
	case doExpire:
		s.mustNot(s.pins[a.ticket] == nil || !s.pins[a.ticket].hurried && !s.over, "a pin expires that nothing waits for")
		delete(s.pins, a.ticket)
	case doFold:
		s.mustNot(a.view.State != StateMerging || a.view.Generation != s.truth.Generation, "a fold is requested though nothing is merged")
		for _, p := range s.pins {
			s.mustNot(p.generation < s.truth.Generation, "a fold is requested under a pin")
		}
		s.folds = append(s.folds, a.view.Generation)
	case doPauseFold:
		s.foldPaused = true
	case doBeginSession:
		s.handleBeginSession(a)
	case doEndScratchSpans, doEndAllSpans:
		s.session, s.left = 0, false
	case doAbandon:
		s.mustNot(a.ticket != s.session || !s.left, "a session is aborted whose holder has not left")
		s.parts = append(s.parts, event{what: commanded, ticket: s.newTicket(), kind: Abort, session: s.session})
	}
}

func (s *simulation) mustNot(is bool, what string) {
	if is {
		s.t.Helper()
		s.t.Fatalf("%s: %s", what, s.m.trace())
	}
}

// disturbs tells whether an effect changes what the reader of a pin sees.
func (s *simulation) disturbs(k Kind) bool {
	for _, p := range s.pins {
		if k == Clear || k == Repair || k.isRegular() && p.generation == s.truth.Generation {
			return true
		}
	}
	return false
}

func (s *simulation) handleAnswer(a action) {
	if i := slices.Index(s.pinRequests, a.ticket); i >= 0 {
		s.mustNot(a.err == nil, "a pin request was answered without a pin")
		s.pinRequests = slices.Delete(s.pinRequests, i, i+1)
		return
	}
	if i := slices.Index(s.sessionRequests, a.ticket); i >= 0 {
		s.mustNot(a.err == nil, "a request for a session was answered without one")
		s.sessionRequests = slices.Delete(s.sessionRequests, i, i+1)
		return
	}
	k, found := s.requests[a.ticket]
	s.mustNot(!found, "an answer comes to no request")
	delete(s.requests, a.ticket)
	switch sent := s.sent != nil && s.sent.ticket == a.ticket; {
	case k == 0:
		s.mustNot(a.err == nil && s.m.view.State != StateClear, "the state is not clear")
	case errors.Is(a.err, ErrUnknownOutcome):
		s.mustNot(!sent, "the outcome of what was never sent is unknown")
	case a.err != nil:
		s.mustNot(sent && s.applied, "a caller is told that its effect was not applied")
	case a.ticket == s.spared: // nothing was left to do
	case k != Merge && k != Abort || sent:
		s.mustNot(!sent || !s.applied, "a caller is told that its effect was applied")
	}
}

func (s *simulation) handleBeginSession(a action) {
	i := slices.Index(s.sessionRequests, a.ticket)
	s.mustNot(i != 0, "a session begins out of order")
	s.mustNot(s.session != 0 || s.truth.State != StateClear, "a session begins beside another")
	s.sessionRequests = s.sessionRequests[1:]
	s.session, s.left = a.ticket, false
}

// checkSession checks an effect that is sent. It returns false for one of a session that is over, which the actor does not send.
func (s *simulation) checkSession(a action) bool {
	of, scratch := s.sessions[a.ticket], a.kind.isScratch() || a.kind == Merge
	s.mustNot(scratch && of == 0 && s.session != 0, "a plain scratch effect is sent beside a session that has a holder")
	s.mustNot(scratch && of == s.session && s.left && of != 0, "an effect of a holder who has left is sent")
	return of == 0 || of == s.session
}

func (s *simulation) handleGrant(a action) {
	i := slices.Index(s.pinRequests, a.ticket)
	s.mustNot(i < 0, "a pin is granted that nobody has requested")
	s.pinRequests = slices.Delete(s.pinRequests, i, i+1)
	v := s.truth
	v.State = a.view.State
	s.mustNot(a.view.Generation != v.Generation || a.view.Version != v.Version, "a pin is granted on an old view")
	if s.sentPhase == applying {
		s.mustNot(!s.sent.kind.isScratch() && s.sent.kind != Abort && s.sent.kind != Complete, "a pin is granted during an effect that disturbs it")
	}
	s.mustNot(s.sentPhase == settling, "a pin is granted before it is known whether the effect was applied")
	s.pins[a.ticket] = &pinState{ticket: a.ticket, generation: a.view.Generation}
}

// windDown ends well everything that is under way, and checks that nobody waits any more.
func (s *simulation) windDown() {
	for range 1000 {
		switch {
		case s.sentPhase == applying:
			s.answerApply(applied)
		case s.sentPhase == settling:
			s.answerSettle(false)
		case s.sentPhase == pinging:
			s.answerPing(unpinged)
		case s.m.othersTurn || s.m.refusing != nil:
			s.rest()
		case s.paused || s.foldPaused:
			s.pause()
		case len(s.folds) > 0:
			s.fold()
		case len(s.pins) > 0:
			s.leave()
		case len(s.requests)+len(s.sessionRequests) > 0 && s.m.isFree() && (s.session != 0 || s.truth.State == StateActive):
			s.begin(commanded, Abort, 0) // for those who wait for the clear state
		default:
			s.mustNot(len(s.requests)+len(s.pinRequests)+len(s.sessionRequests) > 0, "somebody waits for ever")
			s.mustNot(!s.over && s.m.view != s.truth, "the machine's view is not the truth")
			return
		}
	}
	s.t.Fatal("it never ends")
}
