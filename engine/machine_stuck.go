package engine

import "errors"

// What would let others go on may be refused for a reason that does not pass by itself: the client is closed, the password no
// longer right. Then whoever waits for it is told at once. It is tried again all the same, since somebody may cure it.

// refusesWrites returns why writes are answered at once, if they are.
func (m *machine) refusesWrites() error { return firstOf(m.broken(), m.unsettled, m.unfolded) }

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
	m.unsettled, m.current.trouble = e.err, e.err
	m.answerWaiting(e.err)
	m.pause(settlePaused)
}

// handleUnfolded tells all who wait for the fold if it cannot be done.
func (m *machine) handleUnfolded(err error) {
	m.unfolded = nil
	var refusal *RefusedError
	if !errors.As(err, &refusal) || refusal.Temporary {
		return
	}
	m.unfolded = err
	for _, t := range m.clearRequests {
		m.answer(t, err)
	}
	m.clearRequests = m.clearRequests[:0]
}
