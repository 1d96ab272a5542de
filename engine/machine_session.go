package engine

import "slices"

// A scratch session may belong to somebody, its holder. It is on from the moment when it is granted, although nothing is staged yet:
// plain scratch writes, plain merges and other requests for a session wait until it is over. Its effects carry its ticket. It ends with
// its Merge, with any Abort or Clear, or with the table. When the context of the holder ends, the machine has it aborted before
// anything else begins.

// sessions are the session that is on, if it has a holder, and those that are requested.
type sessions struct {
	holder   ticket   // of the session; 0: none is on, or it is a plain one
	left     error    // why the holder has left; nil: it has not
	requests []ticket // in order of arrival
}

// sessionOn tells whether a scratch session is on, a plain one or one that has a holder.
func (m *machine) sessionOn() bool { return m.sessions.holder != 0 || m.view.State == StateActive }

// admitsHeld tells whether a Stage or Discard of a session with a holder may be received now. What comes from a session that is over,
// or whose holder has left, needs no effect and is only answered.
func (m *machine) admitsHeld() bool {
	return m.sessions.holder == 0 || m.sessions.left != nil || m.admits(effectState{kind: Stage, session: m.sessions.holder})
}

// isTurnOf tells whether no session stands in the way of an effect. What was taken apart when its session was over already has its
// turn as well: the actor answers it with how the session has ended, when it is to be sent.
func (m *machine) isTurnOf(s effectState) bool {
	switch s.kind {
	case Stage, Discard, Merge:
		return s.session != 0 || m.sessions.holder == 0
	}
	return true
}

func (m *machine) handleSessionRequested(e event) {
	if m.stopErr != nil {
		m.answer(e.ticket, m.stopErr)
		return
	}
	m.sessions.requests = append(m.sessions.requests, e.ticket)
	m.noteArrival(settling, pinging)
	m.maybeSettleAgain()
}

// maybeBeginSession grants the first request for a session.
func (m *machine) maybeBeginSession() {
	if len(m.sessions.requests) == 0 || m.sessionOn() || m.view.State != StateClear || m.current.phase != none {
		return
	}
	m.sessions.holder, m.sessions.requests = m.sessions.requests[0], m.sessions.requests[1:]
	m.emit(action{do: doBeginSession, ticket: m.sessions.holder})
}

// handleHolderLeft notes that the context of a session's holder has ended.
func (m *machine) handleHolderLeft(e event) {
	if m.stopErr == nil && m.sessions.holder == e.ticket && m.sessions.left == nil {
		m.sessions.left = e.err
	}
}

// maybeRefuseLeft answers what a holder who has left has requested, but not what may have been applied.
func (m *machine) maybeRefuseLeft() {
	if m.sessions.left == nil {
		return
	}
	isLeft := func(s effectState) bool { return s.session == m.sessions.holder && s.kind != Abort }
	m.refuse(isLeft, m.sessions.left)
	if !isLeft(m.current) {
		return
	}
	switch m.current.phase {
	case holding, paused:
		m.finish(m.sessions.left)
	case pinging: // which goes on, as a ping without an effect
		m.finish(m.sessions.left)
		m.current = effectState{phase: pinging, answered: true}
	}
}

// refuse answers those effects that wait for their turn.
func (m *machine) refuse(which func(effectState) bool, err error) {
	refused := func(s effectState) bool {
		if which(s) {
			m.answer(s.ticket, err)
		}
		return which(s)
	}
	m.commands, m.aside = without(m.commands, refused), without(m.aside, refused)
}

// maybeAbandon ends the session of a holder who has left, if no effect has the lock. If that takes an effect, it must be the next one.
func (m *machine) maybeAbandon() (next bool) {
	if m.sessions.left == nil {
		return false
	}
	if m.view.State != StateActive {
		m.endSession(m.abortErr())
		return false
	}
	if slices.ContainsFunc(m.commands, m.abandons) || slices.ContainsFunc(m.aside, m.abandons) {
		return false
	}
	m.emit(action{do: doAbandon, ticket: m.sessions.holder})
	return true
}

// abandons tells whether an effect is the Abort of a session whose holder has left. Nobody waits for it, so it is tried until it is done.
func (m *machine) abandons(s effectState) bool {
	return m.sessions.left != nil && s.kind == Abort && s.session == m.sessions.holder
}

// notesAlone makes a Merge of a session that has staged nothing an effect that only writes the note, if it has one.
func (m *machine) notesAlone(s effectState) effectState {
	if s.kind == Merge && s.session != 0 && s.noted && m.view.State == StateClear {
		s.kind = Apply
	}
	return s
}

// mergesAgain undoes notesAlone, because more may be staged before the effect has its next turn.
func (m *machine) mergesAgain(s effectState) effectState {
	if s.kind == Apply && s.session != 0 {
		s.kind = Merge
	}
	return s
}

// endSession ends the session that is on, and everything that belongs to it.
func (m *machine) endSession(err error) {
	ended := m.sessions.holder
	m.sessions.holder, m.sessions.left = 0, nil
	m.forgetWrittenThrough()
	m.emit(action{do: doEndScratchSpans, err: err})
	if ended != 0 {
		m.refuse(func(s effectState) bool { return s.session == ended }, err)
	}
}

// endSessionWith ends the session as an effect of this kind does that had nothing to do.
func (m *machine) endSessionWith(k Kind) {
	switch {
	case m.sessions.holder == 0:
	case k == Merge:
		m.endSession(ErrScratchMerged)
	default:
		m.endSession(m.abortErr())
	}
}

// abortErr is how an abort or a clear ends the session that is on.
func (m *machine) abortErr() error {
	if m.sessions.left != nil {
		return m.sessions.left
	}
	return ErrScratchAborted
}

// tryToAbandon sends the Abort again after a pause, because nobody else would. Who waits hears why it was refused, if that lasts.
func (m *machine) tryToAbandon(err error) {
	m.current.tries++
	m.current.trouble = err
	m.maybeRefuse(err)
	m.pause(paused)
}

// abandonTrouble returns why the session of a holder who has left is still on; nil if nothing has gone wrong.
func (m *machine) abandonTrouble() error {
	for _, s := range append(m.aside, m.current) {
		if m.abandons(s) {
			return s.trouble
		}
	}
	return nil
}
