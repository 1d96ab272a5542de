package engine

import "slices"

// When an effect has failed, and what becomes of it: see "Tries" in doc.go. An effect in which requests of several callers are
// joined is taken apart after triesJoined failures; an effect of one request is given up after Config.Tries.
const (
	defaultTries = 5
	triesJoined  = 2
)

// ping finds out whether a small request gets through right after the current effect was refused.
func (m *machine) ping() {
	m.current.phase = pinging
	m.emit(action{do: doUnclaim, ticket: m.current.ticket})
	m.emit(action{do: doPing, ticket: m.current.ticket, kind: m.current.kind, view: m.view})
}

// handlePinged counts a failure of the current effect: a small request got through, and the effect did not.
func (m *machine) handlePinged() {
	switch {
	case m.current.answered: // the ping was sent without an effect
		m.current, m.call = effectState{}, attempt{}
	case m.stopErr != nil:
		m.finish(m.stopErr)
	default:
		m.countTry()
	}
}

// handleUnpinged lets the current effect wait, because nothing gets through, unless that lasts.
func (m *machine) handleUnpinged(e event) {
	switch {
	case m.current.answered: // the ping was sent without an effect
		m.handleNothingThrough(e.err)
	case m.stopErr != nil:
		m.finish(m.stopErr)
	case lasts(e.err):
		m.finish(e.err)
	default:
		m.current.trouble = e.err
		m.pause(paused)
	}
}

// countTry counts a failure of the current effect.
func (m *machine) countTry() {
	m.current.tries++
	enough := m.current.tries >= m.tries
	switch {
	case m.abandons(m.current):
		m.pause(paused)
	case m.current.joined && (enough || m.current.tries >= triesJoined):
		m.part()
	case enough:
		m.giveUp()
	default:
		m.pause(paused)
	}
}

// part takes the current effect apart. Each of its requests comes back as an effect of its own (parted).
func (m *machine) part() {
	m.emit(action{do: doPart, ticket: m.current.ticket})
	m.current = effectState{}
}

// handleParted queues one request of an effect that was taken apart.
func (m *machine) handleParted(e event) {
	if m.stopErr != nil {
		m.answer(e.ticket, m.stopErr)
		return
	}
	m.aside = append(m.aside, effectState{ticket: e.ticket, kind: e.kind, session: e.session})
}

// giveUp tells the callers of the current effect why it was never applied.
func (m *machine) giveUp() {
	m.emit(action{do: doGiveUp, ticket: m.current.ticket, kind: m.current.kind, attempts: m.current.tries, err: m.current.cause})
	m.current = effectState{}
}

// setAside takes the lock from the current effect, which was certainly not applied: others go first.
func (m *machine) setAside() {
	m.aside = append(m.aside, m.mergesAgain(m.current))
	m.current, m.othersTurn = effectState{}, true
}

// resumable returns which effect that is aside may have the lock next, or -1.
func (m *machine) resumable() int {
	if m.othersTurn {
		return -1
	}
	return slices.IndexFunc(m.aside, m.mayRun)
}

// resume gives the lock to an effect that is aside.
func (m *machine) resume(i int) {
	s := m.aside[i]
	m.aside = slices.Delete(m.aside, i, i+1)
	m.begin(s)
}
