package engine

import "errors"

// What would let others go on may be refused for a reason that does not pass by itself: the client is closed, the password no
// longer right, the table another owner's. Then whoever waits is told at once. It is tried again all the same, and by whoever
// comes later, since somebody may have cured it.

// refusesWrites returns why writes are answered at once, if they are.
func (m *machine) refusesWrites() error {
	if err := m.broken(); err != nil {
		return err
	}
	return m.refusing
}

// refusesAll is refusesWrites for what was taken from a mailbox already.
func (m *machine) refusesAll() error {
	if m.stopErr != nil {
		return m.stopErr
	}
	return m.refusing
}

// handleUnsettled tells the callers of the current effect that nobody knows its outcome, and everybody else why nothing goes on.
func (m *machine) handleUnsettled(e event) {
	if m.stopErr != nil {
		m.finish(unknown(m.stopErr))
		return
	}
	if !m.current.answered {
		m.answer(m.current.ticket, unknown(e.err))
		m.current.ticket, m.current.answered = 0, true
	}
	m.unsettled, m.refusing, m.current.trouble = e.err, e.err, e.err
	m.answerWaiting(e.err)
	m.pause(settlePaused)
}

// maybeSettleAgain does not let whoever comes later wait for the pause after a refused Settle.
func (m *machine) maybeSettleAgain() {
	if m.unsettled != nil && m.current.phase == settlePaused {
		m.settle()
	}
}

// maybeRefuse tells all who wait for the clear state, or for a fold, if err does not pass by itself.
func (m *machine) maybeRefuse(err error) {
	if !lasts(err) {
		return
	}
	m.refusing = err
	for _, t := range m.clearRequests {
		m.answer(t, err)
	}
	m.clearRequests = m.clearRequests[:0]
}

// lasts tells whether the store has refused for a reason that does not pass by itself.
func lasts(err error) bool {
	var refusal *RefusedError
	return errors.As(err, &refusal) && !refusal.Temporary
}

// waits tells whether somebody waits for the clear state while nothing is under way that the store would answer. What the
// actor knows of its mailboxes it adds.
func (m *machine) waits(mailboxes bool) bool {
	if m.stopErr != nil {
		return false
	}
	return m.current.phase == none && (mailboxes || len(m.clearRequests) > 0)
}

// handleSomebodyWaits finds out, for those who wait for a scratch session or a fold, whether the table still is this owner's
// and the store can be had. It takes the lock for that, without an effect.
func (m *machine) handleSomebodyWaits() {
	m.maybeSettleAgain()
	if m.stopErr == nil && m.current.phase == none {
		m.current = effectState{phase: pinging, answered: true}
		m.emit(action{do: doPing, view: m.view})
	}
}
