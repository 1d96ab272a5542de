package engine

import (
	"errors"
	"slices"
)

// A Settle, a fold or a ping may be refused for a reason that does not pass by itself: the client is closed, or the password is
// no longer right. Then all callers that wait are told at once. The actor tries again after pauses, and also whenever another
// call comes, because somebody may have mended the cause. For the same reason nobody is told of an attempt that was sent before
// he came: then one further attempt is made, whose failure all are told.

// attempt is a Settle, a ping or a fold under way.
type attempt struct {
	late    bool // somebody has come since it was sent, whom its failure would be told
	further bool // it is the further attempt
}

// begin notes that the attempt is sent, or sent again.
func (a *attempt) begin() { a.late = false }

// fail tells whether all who wait are told that the attempt has failed. If not, a further attempt must be made.
func (a *attempt) fail() (told bool) {
	told = !a.late || a.further
	*a = attempt{further: !told}
	return told
}

// noteArrival notes that somebody waits from now on, who would be told of the failure of a call under way in one of these phases,
// and of the fold.
func (m *machine) noteArrival(phases ...phase) {
	m.call.late = m.call.late || slices.Contains(phases, m.current.phase)
	m.folding.late = true
}

// refusesWrites returns the error with which requests in the mailboxes are answered at once; nil: they are not.
func (m *machine) refusesWrites() error {
	if err := m.broken(); err != nil {
		return err
	}
	return m.refusing
}

// refusesAll returns the error with which a request that was received from a mailbox is answered; nil: it is not refused.
func (m *machine) refusesAll() error {
	if m.stopErr != nil {
		return m.stopErr
	}
	return m.refusing
}

// handleUnsettled tells the callers of the current effect that its outcome is unknown, and all others why they cannot go on.
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
	if !m.call.fail() {
		m.settle()
		return
	}
	m.refusing = e.err
	m.answerWaiting(e.err)
	m.pause(settlePaused)
}

// maybeSettleAgain settles at once, without waiting for the end of the pause, if Settle was refused before: a new call has come.
func (m *machine) maybeSettleAgain() {
	if m.unsettled != nil && m.current.phase == settlePaused {
		m.settle()
	}
}

// refuseAfterFold tells all who wait for the fold that it is refused, if that lasts.
func (m *machine) refuseAfterFold(err error) {
	if !lasts(err) {
		m.folding = attempt{}
		return
	}
	if m.folding.fail() {
		m.maybeRefuse(err)
	}
}

// handleNothingThrough handles that a ping without an effect did not get through.
func (m *machine) handleNothingThrough(err error) {
	m.current = effectState{}
	if lasts(err) && !m.call.fail() {
		m.pingAlone()
		return
	}
	m.call = attempt{}
	m.maybeRefuse(err)
}

// maybeRefuse answers all requests that wait for the clear state or for the end of a session, and those in the mailboxes, if err does not pass by itself.
func (m *machine) maybeRefuse(err error) {
	if !lasts(err) {
		return
	}
	m.refusing = err
	for _, t := range slices.Concat(m.clearRequests, m.sessions.requests) {
		m.answer(t, err)
	}
	m.clearRequests, m.sessions.requests = nil, nil
	m.refuse(func(s effectState) bool { return !m.isTurnOf(s) }, err)
}

// lasts tells whether the store has refused for a reason that does not pass by itself.
func lasts(err error) bool {
	var refusal *RefusedError
	return errors.As(err, &refusal) && !refusal.Temporary
}

// waits tells whether a request waits while no effect has the lock, so that nothing is sent to the store. mailboxes tells whether
// requests wait in the mailboxes, which the machine does not know.
func (m *machine) waits(mailboxes bool) bool {
	if m.stopErr != nil {
		return false
	}
	return m.current.phase == none && (mailboxes || len(m.clearRequests)+len(m.sessions.requests)+len(m.commands) > 0)
}

// handleSomebodyWaits pings the store, for requests that wait for a scratch session or a fold: the answer tells whether the table
// still has this owner, and whether the store answers. The ping has the lock while it is under way, although it is no effect.
func (m *machine) handleSomebodyWaits() {
	m.maybeSettleAgain()
	if m.stopErr == nil && m.current.phase == none {
		m.pingAlone()
	}
}

// pingAlone sends a ping without an effect.
func (m *machine) pingAlone() {
	m.current = effectState{phase: pinging, answered: true}
	m.call.begin()
	m.emit(action{do: doPing, view: m.view})
}
