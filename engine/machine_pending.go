package engine

// Requests that need no effect: for a pin, for a session, and for the clear state.

func (m *machine) handleClearAwaited(e event) {
	if m.stopErr != nil {
		m.answer(e.ticket, m.stopErr)
		return
	}
	m.clearRequests = append(m.clearRequests, e.ticket)
	m.noteArrival(settling, pinging)
	m.maybeSettleAgain()
}

// handleWithdrawn forgets a pin, or a request for a pin, for a session or for the clear state.
func (m *machine) handleWithdrawn(e event) {
	m.pins = without(m.pins, func(p pinState) bool { return p.ticket == e.ticket })
	m.pinRequests = without(m.pinRequests, func(t ticket) bool { return t == e.ticket })
	m.clearRequests = without(m.clearRequests, func(t ticket) bool { return t == e.ticket })
	m.sessions.requests = without(m.sessions.requests, func(t ticket) bool { return t == e.ticket })
}

// maybeAnswerClear answers the requests that wait for the clear state, if the state is clear.
func (m *machine) maybeAnswerClear() {
	if m.view.State != StateClear {
		return
	}
	for _, t := range m.clearRequests {
		m.answer(t, nil)
	}
	m.clearRequests = m.clearRequests[:0]
}
