package engine

import "slices"

// handleOutcome handles the end of a call of the store for the current effect. If no call is under way, the effect was
// answered before, by a close for example, and the outcome changes nothing.
func (m *machine) handleOutcome(e event) {
	switch m.current.phase {
	case applying, settling, pinging:
	default:
		return
	}
	switch e.what {
	case applied:
		m.handleApplied(e.result)
	case refused:
		m.handleRefused(e)
	case postponed:
		m.handlePostponed(e)
	case pinged:
		m.handlePinged()
	case unpinged:
		m.handleUnpinged(e)
	case burned:
		m.handleBurned()
	case unanswered:
		m.handleUnanswered(e)
	case unsettled:
		m.handleUnsettled(e)
	case tableBroken:
		m.handleTableBroken(e.err)
	}
}

// handleApplied takes over the view that the effect left behind.
func (m *machine) handleApplied(r Result) {
	m.view = View{State: r.State, Generation: r.Generation, Version: r.Version, Seq: m.current.seq}
	m.unsettled, m.call = nil, attempt{}
	m.emit(action{do: doPublish})
	m.maybeRemember()
	m.endSpans(m.current)
	m.updateFold()
	m.finish(nil)
}

// handleRefused tells the callers of an effect that it was refused. If requests of several callers are joined in it, it is
// taken apart instead, because one of them alone may be at fault; but not if any effect would be refused.
func (m *machine) handleRefused(e event) {
	switch {
	case m.stopErr == nil && m.abandons(m.current):
		m.tryToAbandon(e.err)
	case m.current.joined && !e.general && m.stopErr == nil:
		m.part()
	default:
		m.finish(e.err)
	}
}

// handlePostponed sends the effect again after a pause. The number was certainly not used and stays. If the
// effect itself may be the reason, a ping first finds out whether the store answers.
func (m *machine) handlePostponed(e event) {
	m.current.cause, m.current.trouble = e.err, e.err
	switch {
	case m.stopErr != nil:
		m.finish(m.stopErr)
	case e.general:
		m.pause(paused)
	default:
		m.ping()
	}
}

// handleBurned handles that the effect was not applied and its number is void. The table's number is now the one after
// it, so that the late effect and the next one cannot be taken for each other (G9).
func (m *machine) handleBurned() {
	m.view.Seq = m.current.seq + 1
	m.unsettled, m.call = nil, attempt{}
	m.emit(action{do: doPublish})
	switch {
	case m.stopErr != nil:
		m.finish(m.stopErr)
	case m.current.answered:
		m.current = effectState{} // nobody waits for the effect any more
	default:
		m.countTry()
	}
}

// handleUnanswered has the effect settled, before anything else is sent.
func (m *machine) handleUnanswered(e event) {
	m.current.trouble = e.err
	if m.current.phase == applying {
		m.current.cause = e.err
	}
	switch {
	case m.stopErr != nil:
		m.finish(unknown(m.stopErr))
	case m.current.phase == applying:
		m.settle()
	default:
		m.unsettled, m.call = nil, attempt{}
		m.pause(settlePaused)
	}
}

// handlePauseOver sends or settles the current effect again. If the effect has failed, it goes aside and others go first. If
// it was answered during the pause, by a close for example, there is nothing to do.
func (m *machine) handlePauseOver() {
	switch {
	case m.current.phase == settlePaused:
		m.settle()
	case m.current.phase != paused:
	case m.current.tries > 0:
		m.setAside()
	default:
		m.hold() // for the pins that were granted meanwhile
	}
}

func (m *machine) settle() {
	m.current.phase = settling
	m.call.begin()
	m.emit(action{do: doSettle, ticket: m.current.ticket})
}

// pause starts a pause in the given phase: paused or settlePaused.
func (m *machine) pause(in phase) {
	m.current.phase = in
	m.current.attempts++
	if in == paused {
		m.emit(action{do: doUnclaim, ticket: m.current.ticket})
	}
	m.emit(action{do: doPause, ticket: m.current.ticket, attempts: m.current.attempts})
}

// handleTableBroken ends the current effect and everything that waits. If Apply returned the error,
// the effect was not applied. If Settle returned it, an earlier Apply may have applied the effect.
func (m *machine) handleTableBroken(err error) {
	if m.current.phase == settling {
		m.finish(unknown(err))
	} else {
		m.finish(err)
	}
	m.stop(err)
}

// handleFoundBroken ends everything that waits. An effect under way still gets its true result.
func (m *machine) handleFoundBroken(err error) {
	if m.stopErr == nil {
		m.stop(err)
	}
}

func unknown(why error) error { return Because(ErrUnknownOutcome, why) }

// endSpans ends the spans that an effect ends.
func (m *machine) endSpans(s effectState) {
	switch m.mergesAgain(s).kind {
	case Merge:
		m.endSession(ErrScratchMerged)
	case Abort:
		m.endSession(m.abortErr())
	case Clear:
		m.emit(action{do: doEndRegularSpans, err: ErrCleared})
		m.endSession(m.abortErr())
	}
}

// handleClosed ends everything but an Apply under way, whose callers get its true result.
func (m *machine) handleClosed() { m.stop(ErrClosed) }

// stop answers all callers that wait and ends all pins and spans, because no more effects will be sent. The first reason
// stays in stopErr, until ErrClosed replaces it.
func (m *machine) stop(err error) {
	if m.stopErr == nil || err == ErrClosed {
		m.stopErr = err
	}
	m.fold, m.unsettled, m.refusing = noFold, nil, nil
	m.forgetWrittenThrough()
	m.stopCurrent(err)
	m.answerWaiting(err)
	m.sessions = sessions{}
	m.emit(action{do: doEndAllSpans, err: err})
	for _, p := range m.pins {
		m.emit(action{do: doExpire, ticket: p.ticket, err: err})
	}
	m.pins = nil
}

// answerWaiting answers all callers whose effects are not under way, and requests for pins, sessions and for the clear state.
func (m *machine) answerWaiting(err error) {
	for _, s := range append(m.commands, m.aside...) {
		m.answer(s.ticket, err)
	}
	for _, t := range slices.Concat(m.pinRequests, m.clearRequests, m.sessions.requests) {
		m.answer(t, err)
	}
	m.commands, m.aside, m.pinRequests, m.clearRequests, m.sessions.requests = nil, nil, nil, nil, nil
}

func (m *machine) stopCurrent(err error) {
	switch m.current.phase {
	case holding, paused, pinging:
		m.finish(err)
	case settling, settlePaused:
		m.finish(unknown(err))
	}
}
