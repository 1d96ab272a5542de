package engine

import "math"

// machine is the lock of one table as a pure state machine: step takes an event and returns what
// is to be done about it. It knows no channel, no clock, no Redis and no request, only tickets:
// names that the actor gives to the jobs, pins and waiting calls it keeps.
type machine struct {
	view    View
	over    error    // why nothing is taken any more: ErrFenced, ErrLost (wrapped) or ErrClosed
	current job      // the effect that has the lock, if its phase is not none
	queue   []job    // merge, abort and clear, in order of arrival
	pins    []pinned // granted, neither released nor expired
	asking  []ticket // pins that wait to be granted
	waiting []ticket // calls that wait until the state is clear
	fold    fold
	refolds int // how often in a row the fold has failed
	out     []action
}

type ticket uint64

// job is an effect on its way.
type job struct {
	ticket  ticket
	kind    Kind
	phase   phase
	seq     uint64 // its number, from the moment it flies
	attempt int    // how often it has failed
}

// phase is how far the current job has come.
type phase uint8

const (
	none     phase = iota
	holding        // it has the lock and waits for pins, if there are any
	flying         // Apply is under way
	resting        // certainly not done: it will be sent again after a pause
	settling       // Settle is under way
	doubting       // its outcome is unknown: it will be settled again after a pause
)

// fold is how far the fold of the last merge has come.
type fold uint8

const (
	noFold      fold = iota
	foldHolding      // it waits for pins on older generations
	folding          // it was asked for
	foldResting      // it failed: it will be asked for again after a pause
)

// pinned is a pin as the machine sees it.
type pinned struct {
	ticket     ticket
	generation uint32
	hurried    bool // its grace period is running
}

const lastGeneration = math.MaxUint32

func newMachine(found View) *machine {
	return &machine{view: found}
}

// step handles one event. The actions are to be performed in order; they are valid until the
// next step.
func (m *machine) step(e event) []action {
	m.out = m.out[:0]
	m.handle(e)
	m.advance()
	return m.out
}

func (m *machine) handle(e event) {
	switch e.what {
	case began:
		m.maybeBecomeMerging()
	case taken:
		m.handleTaken(e)
	case ordered:
		m.handleOrdered(e)
	case awaited:
		m.handleAwaited(e)
	case pinAsked:
		m.handlePinAsked(e)
	case left:
		m.handleLeft(e)
	case graceOver:
		m.handleGraceOver(e)
	case folded:
		m.handleFolded(e)
	case foldRested:
		m.handleFoldRested()
	case closed:
		m.handleClosed()
	case dropped:
		m.handleDropped(e)
	default:
		m.handleOutcome(e)
	}
}

// advance does what has become possible. Pins come before the next effect, so that effects which
// follow each other closely cannot shut readers out.
func (m *machine) advance() {
	if m.over != nil {
		return
	}
	m.maybeFold()
	m.maybeGrant()
	m.maybeBegin()
	m.maybeSend()
	m.maybeWake()
}

// admitsRegular tells whether a Put or Delete may be taken now (D1).
func (m *machine) admitsRegular() bool {
	return m.broken() != nil || m.admits() && m.view.State == StateClear
}

// admitsScratch tells whether a Stage or Discard may be taken now (D2, D3).
func (m *machine) admitsScratch() bool {
	return m.broken() != nil || m.admits() && m.view.State != StateMerging
}

func (m *machine) admits() bool { return m.over == nil && m.current.phase == none && len(m.queue) == 0 }

// broken returns why the table can no longer be written, if so: whoever still asks is told.
func (m *machine) broken() error {
	if m.over == ErrClosed {
		return nil
	}
	return m.over
}

// ended tells whether the machine was closed and nothing is under way any more.
func (m *machine) ended() bool { return m.over == ErrClosed && m.current.phase == none }

// handleTaken makes a job from a mailbox the current one.
func (m *machine) handleTaken(e event) {
	if m.over != nil {
		m.answer(e.ticket, m.over)
		return
	}
	if m.current.phase != none {
		panic("engine: a job was taken while another has the lock")
	}
	m.begin(job{ticket: e.ticket, kind: e.kind})
}

// handleOrdered queues a merge, abort or clear.
func (m *machine) handleOrdered(e event) {
	if m.over != nil {
		m.answer(e.ticket, m.over)
		return
	}
	m.queue = append(m.queue, job{ticket: e.ticket, kind: e.kind})
}

func (m *machine) handleAwaited(e event) {
	if m.over != nil {
		m.answer(e.ticket, m.over)
		return
	}
	m.waiting = append(m.waiting, e.ticket)
}

// handleLeft forgets a pin, or a call that waits for a pin or for the clear state.
func (m *machine) handleLeft(e event) {
	m.pins = without(m.pins, func(p pinned) bool { return p.ticket == e.ticket })
	m.asking = without(m.asking, func(t ticket) bool { return t == e.ticket })
	m.waiting = without(m.waiting, func(t ticket) bool { return t == e.ticket })
}

// handleDropped forgets a job that nobody wants any more and that is not under way.
func (m *machine) handleDropped(e event) {
	m.queue = without(m.queue, func(j job) bool { return j.ticket == e.ticket })
	if m.current.ticket == e.ticket {
		m.current = job{}
	}
}

// underWay tells whether the job may be having its effect now, or have had it.
func (m *machine) underWay(t ticket) bool {
	switch m.current.phase {
	case flying, settling, doubting:
		return m.current.ticket == t
	}
	return false
}

// maybeBegin gives the lock to what was ordered first.
func (m *machine) maybeBegin() {
	for m.current.phase == none && len(m.queue) > 0 {
		next := m.queue[0]
		m.queue = m.queue[1:]
		m.begin(next)
	}
}

// begin gives the lock to a job, or answers it at once where nothing is to be done.
func (m *machine) begin(j job) {
	switch {
	case m.exhausted(j.kind):
		m.answer(j.ticket, ErrGenerationsExhausted)
	case m.idle(j.kind):
		m.answer(j.ticket, nil)
	default:
		m.current = j
		m.hold()
	}
}

// hold has the current job wait for the pins in its way.
func (m *machine) hold() {
	m.current.phase = holding
	m.hurry(m.holdsUp)
}

// exhausted tells whether rows of the next generation are asked for, and there is none.
func (m *machine) exhausted(k Kind) bool {
	return m.view.Generation == lastGeneration && (k == Stage || k == Discard || k == Merge)
}

// idle tells whether the kind would change nothing: merging or dropping what is not staged.
func (m *machine) idle(k Kind) bool {
	return (k == Merge || k == Abort) && m.view.State != StateActive
}

// maybeSend lets the current job fly once no pin is in its way.
func (m *machine) maybeSend() {
	if m.current.phase != holding || m.pinnedFor(m.holdsUp) {
		return
	}
	m.current.phase = flying
	m.current.seq = m.view.Seq + 1
	m.emit(action{do: doSend, ticket: m.current.ticket, kind: m.current.kind, view: m.view})
}

// maybeWake answers those who wait for the clear state.
func (m *machine) maybeWake() {
	if m.view.State != StateClear {
		return
	}
	for _, t := range m.waiting {
		m.answer(t, nil)
	}
	m.waiting = m.waiting[:0]
}

func (m *machine) emit(a action) { m.out = append(m.out, a) }

func (m *machine) answer(t ticket, err error) { m.emit(action{do: doAnswer, ticket: t, err: err}) }

// finish ends the current job.
func (m *machine) finish(err error) {
	m.answer(m.current.ticket, err)
	m.current = job{}
}

func without[T any](all []T, gone func(T) bool) []T {
	kept := all[:0]
	for _, x := range all {
		if !gone(x) {
			kept = append(kept, x)
		}
	}
	return kept
}
