package engine

import "go.uber.org/zap"

// perform performs one action of the machine.
func (a *Actor) perform(x action) {
	switch x.do {
	case doPublish:
		a.publish()
	case doSend:
		a.send(x)
	case doSettle:
		a.inquire(storeCall{effect: a.effector.effect, what: callSettle})
	case doRemember:
		a.written.remember()
	case doForget:
		a.written.forget()
	case doPing:
		a.inquire(storeCall{effect: &Effect{Kind: x.kind, Prev: x.view.Seq, Seq: x.view.Seq}, what: callPing})
	case doPart:
		a.part(x)
	case doGiveUp:
		a.giveUp(x)
	case doUnclaim:
		a.unclaim(x)
	case doPause:
		a.pauseTimer.Reset(a.cfg.Backoff.pause(x.attempts))
	case doAnswer:
		a.answer(x)
	case doGrant:
		a.grant(x)
	case doBeginSession:
		a.beginSession(x)
	case doAbandon:
		a.abandon()
	case doHurry:
		a.hurry(x)
	case doExpire:
		a.expire(x)
	case doFold:
		a.cfg.Fold(x.view)
	case doPauseFold:
		a.foldPauseTimer.Reset(a.cfg.Backoff.pause(x.attempts))
	case doEndRegularSpans:
		a.lifetimes.renew(&a.lifetimes.regular, x.err)
	case doEndScratchSpans:
		a.endSession()
		a.lifetimes.renew(&a.lifetimes.scratch, x.err)
	case doEndAllSpans:
		a.endSession()
		a.lifetimes.endAll(x.err)
	}
}

// inquire starts a Settle or a ping. From here on a signal tells of a request that has come later; what came before gives none.
func (a *Actor) inquire(c storeCall) {
	a.watchful.Store(true)
	select {
	case <-a.arrived:
	default:
	}
	a.effector.start(c)
}

func (a *Actor) publish() {
	v := a.machine.view
	a.view.Store(&v)
}

// send claims the requests of an effect at the last moment, and hands the effect to the effector.
func (a *Actor) send(x action) {
	b := a.batches[x.ticket]
	b.claim()
	if len(b.requests) == 0 {
		a.drop(x.ticket)
		return
	}
	e := &Effect{Kind: x.kind, Prev: x.view.Seq, Seq: x.view.Seq + 1, State: x.view.State, Generation: x.view.Generation}
	b.fill(e, a.rowBuffer[:0])
	a.rowBuffer = e.Rows
	if a.cfg.WriteThrough {
		if none, err := a.passOver(b, e); none {
			a.tell(event{what: needless, err: err})
			return
		}
	}
	a.effector.start(storeCall{effect: e})
}

// passOver takes out of an effect that stages what was written through, and notes what an effect writes through. It tells whether
// nothing is left of the effect, or why it cannot be sent.
func (a *Actor) passOver(b *batch, e *Effect) (needless bool, err error) {
	switch {
	case e.Kind == Discard && e.Sweep != nil:
		e.Kept, err = a.written.keptKeys()
	case e.Kind == Stage, e.Kind == Discard:
		b.passedOver = a.written.passOver(e)
		needless = len(e.Rows)+len(e.Marks) == 0
	case e.Kind == DiscardAll:
		err = a.keep(e)
	case (e.Kind.isRegular() || e.Kind == Repair) && a.machine.sessionOn():
		a.written.note(e)
	}
	if needless {
		a.result = Result{}
	}
	return needless || err != nil, err
}

// keep gives a DiscardAll the rows that were written through, which stay.
func (a *Actor) keep(e *Effect) error {
	rows, ok := a.written.kept()
	if !ok {
		return ErrChanged
	}
	e.Rows = append(e.Rows, rows...)
	e.stamp()
	a.rowBuffer = e.Rows
	return nil
}

// unclaim undoes the claims of send, because the effect was certainly not applied.
func (a *Actor) unclaim(x action) {
	b := a.batches[x.ticket]
	b.unclaim()
	a.forgetCallers() // a caller may leave now, and its rows must not stay in memory; send fills the buffer again
	if b.isAbandoned() && !a.machine.underWay(x.ticket) {
		a.drop(x.ticket)
	}
}

// part makes an effect of its own of each request of an effect that was certainly not applied.
func (a *Actor) part(x action) {
	b := a.batches[x.ticket]
	delete(a.batches, x.ticket)
	b.unclaim()
	clear(a.rowBuffer)
	a.cfg.Logger.Info("requests that were joined are sent apart", zap.Stringer("kind", b.kind), zap.Int("bytes", b.bytes),
		zap.Int("requests", len(b.requests)))
	for _, r := range b.requests {
		if !r.isAbandoned() {
			t := a.newTicket()
			a.batches[t] = newBatch(r, 0)
			a.tell(event{what: parted, ticket: t, kind: b.kind, session: b.session()})
		}
	}
}

// giveUp answers the callers of an effect that was never applied.
func (a *Actor) giveUp(x action) {
	e := &GivenUpError{Kind: x.kind, Tries: x.attempts, Bytes: a.batches[x.ticket].bytes, Err: x.err}
	a.cfg.Logger.Error("an effect is given up", zap.Stringer("kind", e.Kind), zap.Int("bytes", e.Bytes), zap.Int("tries", e.Tries), zap.Error(e.Err))
	a.answer(action{ticket: x.ticket, err: e})
}

// drop forgets an effect that is not under way and whose callers have all left.
func (a *Actor) drop(t ticket) {
	delete(a.batches, t)
	a.tell(event{what: dropped, ticket: t})
}

// answer answers the callers of an effect, or a pending request. It may find no effect, if an action of the same step has dropped that
// because all its callers have left.
func (a *Actor) answer(x action) {
	if r, found := a.pending[x.ticket]; found {
		a.forget(x.ticket)
		r.answer(nil, x.err)
		return
	}
	b := a.batches[x.ticket]
	if b == nil {
		return
	}
	delete(a.batches, x.ticket)
	if b.kind == Discard && x.err == nil {
		a.bind(b)
	}
	b.answer(a.result, x.err)
	if !a.effector.busy {
		a.forgetCallers()
	}
}

// forgetCallers clears the buffer, so that it keeps no caller's rows in memory. After GiveUp it leaves the buffer to the call
// that was given up, which may still read it.
func (a *Actor) forgetCallers() {
	if a.givenUp {
		a.rowBuffer = nil
		return
	}
	clear(a.rowBuffer)
	if e := a.effector.effect; e != nil {
		e.Callers, e.requests = nil, nil
	}
}

// bind makes the spans that started or joined a scratch session belong to it.
func (a *Actor) bind(b *batch) {
	for _, r := range b.requests {
		if s := r.deletion.Span; s != nil && a.machine.view.State == StateActive {
			a.lifetimes.bind(s)
		}
	}
}

func (a *Actor) grant(x action) {
	r, p := a.pending[x.ticket], a.pinsToGrant[x.ticket]
	a.forget(x.ticket)
	p.ticket, p.view = x.ticket, x.view
	a.pins[p.ticket] = p
	if !r.answer(nil, nil) {
		a.handleUnpin(p)
	}
}

func (a *Actor) handleUnpin(p *Pin) {
	delete(a.pins, p.ticket)
	a.tell(event{what: withdrawn, ticket: p.ticket})
}

// hurry hurries a pin. hurry and expire may find no pin, if its caller left at the moment of the grant: the
// machine learns that by an event that it has not handled yet.
func (a *Actor) hurry(x action) {
	if p := a.pins[x.ticket]; p != nil {
		close(p.hurry)
		a.gracePeriods.begin(x.ticket)
	}
}

func (a *Actor) expire(x action) {
	p := a.pins[x.ticket]
	if p == nil {
		return
	}
	delete(a.pins, x.ticket)
	p.err = x.err
	close(p.expired)
	a.cfg.Logger.Debug("a snapshot expired", zap.Uint32("generation", p.view.Generation), zap.Error(x.err))
}

func (a *Actor) forget(t ticket) {
	delete(a.pending, t)
	delete(a.pinsToGrant, t)
}
