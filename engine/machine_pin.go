package engine

import "errors"

func (m *machine) handlePinAsked(e event) {
	if m.over != nil {
		m.answer(e.ticket, m.over)
		return
	}
	m.asking = append(m.asking, e.ticket)
}

// maybeGrant grants the pins that wait, on the current generation.
func (m *machine) maybeGrant() {
	if !m.steady() {
		return
	}
	for _, t := range m.asking {
		m.pins = append(m.pins, pinned{ticket: t, generation: m.view.Generation})
		m.emit(action{do: doGrant, ticket: t, view: m.view})
	}
	m.asking = m.asking[:0]
}

// steady tells whether what readers see stands still, and nothing that has the lock waits for it
// to be let go. What rests was certainly not done, and may rest for long. Staging and dropping what
// is staged disturb no reader, once their outcome is known.
func (m *machine) steady() bool {
	switch m.current.phase {
	case none, resting:
		return true
	case settling, doubting:
		return false
	}
	switch m.current.kind {
	case Stage, Discard, Abort:
		return true
	}
	return false
}

// holdsUp tells whether the current job must wait for a pin.
func (m *machine) holdsUp(p pinned) bool {
	switch m.current.kind {
	case Put, Delete:
		return p.generation == m.view.Generation
	case Clear:
		return true
	}
	return false
}

// isOlder tells whether the fold must wait for a pin.
func (m *machine) isOlder(p pinned) bool { return p.generation < m.view.Generation }

func (m *machine) pinnedFor(holdsUp func(pinned) bool) bool {
	for _, p := range m.pins {
		if holdsUp(p) {
			return true
		}
	}
	return false
}

// hurry starts the grace period, once, of each pin that is in the way.
func (m *machine) hurry(holdsUp func(pinned) bool) {
	for i := range m.pins {
		p := &m.pins[i]
		if holdsUp(*p) && !p.hurried {
			p.hurried = true
			m.emit(action{do: doHurry, ticket: p.ticket})
		}
	}
}

// handleGraceOver ends a pin, unless it was released in time.
func (m *machine) handleGraceOver(e event) {
	m.pins = without(m.pins, func(p pinned) bool {
		if p.ticket != e.ticket {
			return false
		}
		m.emit(action{do: doExpire, ticket: p.ticket, err: ErrSnapshotExpired})
		return true
	})
}

// maybeBecomeMerging starts, or ends, the fold that the state asks for.
func (m *machine) maybeBecomeMerging() {
	switch {
	case m.view.State != StateMerging:
		m.fold = noFold
	case m.fold == noFold:
		m.fold, m.refolds = foldHolding, 0
		m.hurry(m.isOlder)
	}
}

// maybeFold asks for the fold once no older generation is pinned (D7).
func (m *machine) maybeFold() {
	if m.fold != foldHolding || m.pinnedFor(m.isOlder) {
		return
	}
	m.fold = folding
	m.emit(action{do: doFold, view: m.view})
}

// handleFolded ends the merging state. A fold that nobody waits for any more means nothing.
func (m *machine) handleFolded(e event) {
	switch {
	case m.fold != folding || e.generation != m.view.Generation:
	case e.err == nil:
		m.becomeClear()
	case errors.Is(e.err, ErrFenced) || errors.Is(e.err, ErrLost):
		m.stop(e.err)
	default:
		m.refolds++
		m.fold = foldResting
		m.emit(action{do: doRestFold, attempt: m.refolds})
	}
}

func (m *machine) becomeClear() {
	m.view.State = StateClear
	m.fold = noFold
	m.emit(action{do: doPublish})
}

func (m *machine) handleFoldRested() {
	if m.fold == foldResting {
		m.fold = foldHolding
	}
}
