package engine

import (
	"math"
	"slices"
)

// machine is the lock of one table as a pure state machine: step takes an event and returns the
// actions to perform. It knows no channel, clock, Redis or request. It knows effects, pins and
// requests by their tickets, which the actor gives out.
type machine struct {
	view          View
	stopErr       error         // why no effect is accepted any more: the first ErrFenced or ErrLost (wrapped), or ErrClosed
	current       effectState   // the effect that has the lock; phase none: no effect has it
	commands      []effectState // merge, abort, clear and repair, in order of arrival
	aside         []effectState // effects that have failed, or are part of one that has: see machine_tries.go
	othersTurn    bool          // requests that wait go before the effects that are aside
	tries         int           // how often an effect may fail
	writeThrough  bool          // regular writes run beside a scratch session
	pins          []pinState    // granted, neither released nor expired
	pinRequests   []ticket      // requests that wait for a pin
	clearRequests []ticket      // requests that wait for the clear state
	sessions      sessions      // scratch sessions that have a holder: see machine_session.go
	fold          foldPhase
	foldAttempts  int     // how often in a row the fold has failed
	foldCause     error   // why the fold failed the last time
	call          attempt // the Settle or ping under way
	folding       attempt // the fold
	unsettled     error   // why the current effect cannot be settled: see machine_stuck.go
	refusing      error   // requests in the mailboxes are answered with this
	actions       []action
}

// ticket names an effect, a pin or a request. The actor gives each number out once.
type ticket uint64

// effectState is an effect as the machine sees it.
type effectState struct {
	ticket   ticket
	kind     Kind
	phase    phase
	seq      uint64 // its number, from the moment it is sent
	attempts int    // how often it has paused
	tries    int    // how often it has failed
	session  ticket // the scratch session that it belongs to; 0: none, or a plain one
	noted    bool   // it has a note
	joined   bool   // several callers' requests are joined in it
	sweeps   bool   // it is a Delete that runs in the clear state alone
	answered bool   // nobody waits for it: its callers were told that the outcome is unknown, or it is a ping without an effect
	cause    error  // why it was not applied, or why that is not known
	trouble  error  // the latest error of sending or settling it
}

// phase is how far the current effect has come.
type phase uint8

const (
	none         phase = iota
	holding            // it has the lock and waits for pins, if there are any
	applying           // Apply is under way
	paused             // it was certainly not applied, and will be sent again after a pause
	pinging            // it was certainly not applied, and a ping is under way
	settling           // Settle is under way
	settlePaused       // its outcome is unknown: it will be settled again after a pause
)

// foldPhase is how far the fold of the latest merge has come.
type foldPhase uint8

const (
	noFold      foldPhase = iota
	foldHolding           // it waits for pins on older generations
	folding               // it was requested
	foldPaused            // it has failed, and will be requested again after a pause
)

// pinState is a pin as the machine sees it.
type pinState struct {
	ticket     ticket
	generation uint32
	hurried    bool // its grace period is running
}

const maxGeneration = math.MaxUint32

func newMachine(found View) *machine {
	return &machine{view: found, tries: defaultTries}
}

// step handles one event. The caller performs the returned actions in order; they are valid until
// the next step.
func (m *machine) step(e event) []action {
	m.actions = m.actions[:0]
	m.handle(e)
	m.advance()
	return m.actions
}

func (m *machine) handle(e event) {
	switch e.what {
	case started:
		m.updateFold()
	case taken:
		m.handleTaken(e)
	case commanded:
		m.handleCommanded(e)
	case clearAwaited:
		m.handleClearAwaited(e)
	case pinRequested:
		m.handlePinRequested(e)
	case sessionRequested:
		m.handleSessionRequested(e)
	case holderLeft:
		m.handleHolderLeft(e)
	case withdrawn:
		m.handleWithdrawn(e)
	case graceOver:
		m.handleGraceOver(e)
	case folded:
		m.handleFolded(e)
	case foldFails:
		m.handleFoldFails(e)
	case foldPauseOver:
		m.handleFoldPauseOver()
	case pauseOver:
		m.handlePauseOver()
	case closed:
		m.handleClosed()
	case dropped:
		m.handleDropped(e)
	case foundBroken:
		m.handleFoundBroken(e.err)
	case parted:
		m.handleParted(e)
	case needless:
		m.handleNeedless()
	case nobodyWaits:
		m.othersTurn, m.refusing = false, nil
	case somebodyWaits:
		m.handleSomebodyWaits()
	case arrived:
		m.noteArrival(settling, pinging)
	default:
		m.handleOutcome(e)
	}
}

// advance does what has become possible. Pins come before the next effect, so that readers get
// their pins even when one effect follows another without a gap.
func (m *machine) advance() {
	if m.stopErr != nil {
		return
	}
	m.maybeRefuseLeft()
	m.maybeFold()
	m.maybeGrant()
	m.maybeBegin()
	m.maybeBeginSession()
	m.maybeSend()
	m.maybeAnswerClear()
}

// broken returns why the table can no longer be written; nil if it can, or if it is closed. Requests to a
// broken table are received, and answered with the reason.
func (m *machine) broken() error {
	if m.stopErr == ErrClosed {
		return nil
	}
	return m.stopErr
}

// ended tells whether the machine was closed and nothing is under way any more.
func (m *machine) ended() bool { return m.stopErr == ErrClosed && m.current.phase == none }

// handleTaken gives the lock to an effect whose requests came from a mailbox.
func (m *machine) handleTaken(e event) {
	if err := m.refusesAll(); err != nil {
		m.answer(e.ticket, err)
		return
	}
	if m.current.phase != none {
		panic("engine: an effect was taken while another has the lock")
	}
	m.othersTurn = false
	m.begin(effectState{ticket: e.ticket, kind: e.kind, session: e.session, joined: e.joined, sweeps: e.sweeps})
}

// handleCommanded queues a merge, abort, clear or repair.
func (m *machine) handleCommanded(e event) {
	if m.stopErr != nil {
		m.answer(e.ticket, m.stopErr)
		return
	}
	s := effectState{ticket: e.ticket, kind: e.kind, session: e.session, noted: e.noted}
	if m.abandons(s) {
		m.commands = slices.Insert(m.commands, 0, s)
	} else {
		m.commands = append(m.commands, s)
	}
	m.noteArrival(settling)
	m.maybeSettleAgain()
}

// handleDropped forgets an effect whose callers have all left and that is not under way.
func (m *machine) handleDropped(e event) {
	isIt := func(s effectState) bool { return s.ticket == e.ticket }
	m.commands, m.aside = without(m.commands, isIt), without(m.aside, isIt)
	if m.current.ticket == e.ticket {
		m.current = effectState{}
	}
}

// underWay tells whether a call of the store for this effect is under way, or its outcome is not known.
func (m *machine) underWay(t ticket) bool {
	switch m.current.phase {
	case applying, pinging, settling, settlePaused:
		return m.current.ticket == t
	}
	return false
}

// maybeBegin gives the lock to the first command, or else to an effect that is aside.
func (m *machine) maybeBegin() {
	for m.current.phase == none && !m.maybeAbandon() {
		switch c, i := m.nextCommand(), m.resumable(); {
		case c >= 0:
			next := m.commands[c]
			m.commands, m.othersTurn = slices.Delete(m.commands, c, c+1), false
			m.begin(next)
		case i >= 0:
			m.resume(i)
		default:
			return
		}
	}
}

// nextCommand returns which command may have the lock next, or -1. A plain merge waits for a session that has a holder.
func (m *machine) nextCommand() int { return slices.IndexFunc(m.commands, m.isTurnOf) }

// begin gives the lock to an effect, or answers it at once if there is nothing to do.
func (m *machine) begin(s effectState) {
	s = m.notesAlone(s)
	switch {
	case m.exhausted(s.kind):
		m.answer(s.ticket, ErrGenerationsExhausted)
	case m.changesNothing(s.kind):
		m.answer(s.ticket, nil)
		m.endSessionWith(s.kind)
	default:
		m.current = s
		m.hold()
	}
}

// hold makes the current effect wait for its pins.
func (m *machine) hold() {
	m.current.phase = holding
	m.hurry(m.effectWaitsFor)
}

// exhausted tells whether the kind needs a next generation and there is none.
func (m *machine) exhausted(k Kind) bool {
	return m.view.Generation == maxGeneration && (k == Stage || k == Discard || k == Merge)
}

// changesNothing tells whether an effect of this kind needs staged rows and no scratch session is on.
func (m *machine) changesNothing(k Kind) bool {
	return (k == Merge || k == Abort) && m.view.State != StateActive
}

// maybeSend sends the current effect once it waits for no pin.
func (m *machine) maybeSend() {
	if m.current.phase != holding || m.anyPin(m.effectWaitsFor) {
		return
	}
	m.current.phase = applying
	m.current.seq = m.view.Seq + 1
	m.emit(action{do: doSend, ticket: m.current.ticket, kind: m.current.kind, view: m.view})
}

// finish answers the current effect, unless its callers were answered before, and takes the lock from it.
func (m *machine) finish(err error) {
	if !m.current.answered {
		m.answer(m.current.ticket, err)
	}
	m.current = effectState{}
}
