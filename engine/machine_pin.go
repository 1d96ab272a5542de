package engine

import "errors"

func (m *machine) handlePinRequested(e event) {
	if m.stopErr != nil {
		m.answer(e.ticket, m.stopErr)
		return
	}
	m.pinRequests = append(m.pinRequests, e.ticket)
	m.noteArrival(settling)
	m.maybeSettleAgain()
}

// maybeGrant grants the requested pins, on the current generation.
func (m *machine) maybeGrant() {
	if !m.mayGrant() {
		return
	}
	for _, t := range m.pinRequests {
		m.pins = append(m.pins, pinState{ticket: t, generation: m.view.Generation})
		m.emit(action{do: doGrant, ticket: t, view: m.view})
	}
	m.pinRequests = m.pinRequests[:0]
}

// mayGrant tells whether a pin may be granted: no effect that changes what readers see is under way
// or waits for pins. A paused effect was certainly not applied, and its pause may be long, so pins are
// granted meanwhile. Scratch writes, Abort and Complete change nothing that readers see, so pins are granted beside
// them, but not while their outcome is unknown.
func (m *machine) mayGrant() bool {
	switch m.current.phase {
	case none, paused, pinging:
		return true
	case settling, settlePaused:
		return false
	}
	return m.current.kind.isScratch() || m.current.kind == Abort || m.current.kind == Complete
}

// effectWaitsFor tells whether the current effect must wait for a pin.
func (m *machine) effectWaitsFor(p pinState) bool {
	switch k := m.current.kind; {
	case k.isRegular():
		return p.generation == m.view.Generation
	case k == Clear, k == Repair:
		return true
	}
	return false
}

// foldWaitsFor tells whether the fold must wait for a pin.
func (m *machine) foldWaitsFor(p pinState) bool { return p.generation < m.view.Generation }

func (m *machine) anyPin(waitsFor func(pinState) bool) bool {
	for _, p := range m.pins {
		if waitsFor(p) {
			return true
		}
	}
	return false
}

// hurry starts the grace period of each pin that something waits for, if it has not started yet.
func (m *machine) hurry(waitsFor func(pinState) bool) {
	for i := range m.pins {
		p := &m.pins[i]
		if waitsFor(*p) && !p.hurried {
			p.hurried = true
			m.emit(action{do: doHurry, ticket: p.ticket})
		}
	}
}

// handleGraceOver expires a pin, unless it was released in time.
func (m *machine) handleGraceOver(e event) {
	m.pins = without(m.pins, func(p pinState) bool {
		if p.ticket != e.ticket {
			return false
		}
		m.emit(action{do: doExpire, ticket: p.ticket, err: ErrSnapshotExpired})
		return true
	})
}

// updateFold starts a fold if the state has become merging, and ends the fold if the state is any
// other.
func (m *machine) updateFold() {
	switch {
	case m.view.State != StateMerging:
		m.fold, m.foldCause = noFold, nil
	case m.fold == noFold:
		m.fold, m.foldAttempts = foldHolding, 0
		m.hurry(m.foldWaitsFor)
	}
}

// maybeFold requests the fold once no older generation is pinned (D7).
func (m *machine) maybeFold() {
	if m.fold != foldHolding || m.anyPin(m.foldWaitsFor) {
		return
	}
	m.fold = folding
	m.folding.begin()
	m.emit(action{do: doFold, view: m.view})
}

// handleFolded makes the state clear, or requests the fold again after a pause. The end of a fold that is no
// longer wanted changes nothing.
func (m *machine) handleFolded(e event) {
	switch {
	case m.fold != folding || e.generation != m.view.Generation:
	case e.err == nil:
		m.becomeClear()
	case errors.Is(e.err, ErrFenced) || errors.Is(e.err, ErrLost):
		m.stop(e.err)
	default:
		m.pauseFold(e.err)
	}
}

// handleFoldFails notes for those who wait why the fold does not end. It goes on.
func (m *machine) handleFoldFails(e event) {
	if m.fold == folding && e.generation == m.view.Generation {
		m.foldCause = e.err
		m.refuseAfterFold(e.err)
	}
}

// pauseFold requests the fold again after a pause.
func (m *machine) pauseFold(err error) {
	m.foldCause = err
	m.foldAttempts++
	m.fold = foldPaused
	m.emit(action{do: doPauseFold, attempts: m.foldAttempts})
	m.refuseAfterFold(err)
}

func (m *machine) becomeClear() {
	m.view.State, m.view.Whole = StateClear, false
	m.fold, m.foldCause = noFold, nil
	m.emit(action{do: doPublish})
}

func (m *machine) handleFoldPauseOver() {
	if m.fold == foldPaused {
		m.fold = foldHolding
	}
}
