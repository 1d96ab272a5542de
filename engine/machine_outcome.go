package engine

import "fmt"

// handleOutcome handles what became of the current job. What comes when the job is not in a
// phase to expect it, as after a close, means nothing any more.
func (m *machine) handleOutcome(e event) {
	switch p := m.current.phase; {
	case (p == resting || p == doubting) && e.what == rested:
		m.handleRested()
	case p == flying || p == settling:
		m.handleAnswered(e)
	}
}

// handleAnswered handles the end of an Apply or a Settle.
func (m *machine) handleAnswered(e event) {
	switch e.what {
	case done:
		m.handleDone(e.result)
	case refused:
		m.finish(e.err)
	case postponed:
		m.handlePostponed()
	case burned:
		m.handleBurned()
	case lapsed:
		m.handleLapsed()
	case disowned:
		m.handleDisowned(e.err)
	}
}

// handleDone takes over what the effect left behind.
func (m *machine) handleDone(r Result) {
	m.view = View{State: r.State, Generation: r.Generation, Version: r.Version, Seq: m.current.seq}
	m.emit(action{do: doPublish})
	m.endSpans(m.current.kind)
	m.maybeBecomeMerging()
	m.finish(nil)
}

// handlePostponed keeps the number: it was certainly not used.
func (m *machine) handlePostponed() {
	if m.over != nil {
		m.finish(m.over)
		return
	}
	m.rest(resting)
}

// handleBurned gives the number up. The table's number is now the one after it, so that neither
// the late effect nor the next one can be taken for the other (G9).
func (m *machine) handleBurned() {
	m.view.Seq = m.current.seq + 1
	m.emit(action{do: doPublish})
	m.handlePostponed()
}

// handleLapsed finds out first what the outcome was.
func (m *machine) handleLapsed() {
	switch {
	case m.over != nil:
		m.finish(unknown(m.over))
	case m.current.phase == flying:
		m.settle()
	default:
		m.rest(doubting)
	}
}

func (m *machine) handleRested() {
	if m.current.phase == doubting {
		m.settle()
		return
	}
	m.hold() // for the pins that were granted meanwhile
}

func (m *machine) settle() {
	m.current.phase = settling
	m.emit(action{do: doSettle, ticket: m.current.ticket})
}

func (m *machine) rest(in phase) {
	m.current.phase = in
	m.current.attempt++
	if in == resting {
		m.emit(action{do: doRelease, ticket: m.current.ticket})
	}
	m.emit(action{do: doRest, ticket: m.current.ticket, attempt: m.current.attempt})
}

// handleDisowned: an Apply that is told so did nothing; before a Settle it may have.
func (m *machine) handleDisowned(err error) {
	if m.current.phase == settling {
		m.finish(unknown(err))
	} else {
		m.finish(err)
	}
	m.stop(err)
}

func unknown(why error) error { return fmt.Errorf("%w: %w", ErrUnknownOutcome, why) }

// endSpans ends what the kind of effect puts an end to.
func (m *machine) endSpans(k Kind) {
	switch k {
	case Merge:
		m.emit(action{do: doEndScratch, err: ErrScratchMerged})
	case Abort:
		m.emit(action{do: doEndScratch, err: ErrScratchAborted})
	case Clear:
		m.emit(action{do: doEndRegular, err: ErrCleared})
		m.emit(action{do: doEndScratch, err: ErrScratchAborted})
	}
}

// handleClosed ends everything but an Apply under way, whose callers get its true result.
func (m *machine) handleClosed() {
	m.stop(ErrClosed)
	for _, p := range m.pins {
		m.emit(action{do: doExpire, ticket: p.ticket, err: ErrClosed})
	}
	m.pins = nil
}

// stop answers all who wait, for there will be no more effects. A closed table stays closed.
func (m *machine) stop(err error) {
	if m.over != ErrClosed {
		m.over = err
	}
	m.fold = noFold
	m.stopCurrent(err)
	for _, j := range m.queue {
		m.answer(j.ticket, err)
	}
	for _, t := range append(m.asking, m.waiting...) {
		m.answer(t, err)
	}
	m.queue, m.asking, m.waiting = nil, nil, nil
	m.emit(action{do: doEndLife, err: err})
}

func (m *machine) stopCurrent(err error) {
	switch m.current.phase {
	case holding, resting:
		m.finish(err)
	case settling, doubting:
		m.finish(unknown(err))
	}
}
