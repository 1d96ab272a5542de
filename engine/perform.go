package engine

import "go.uber.org/zap"

// perform does what the lock orders.
func (a *Actor) perform(x action) {
	switch x.do {
	case doPublish:
		a.publish()
	case doSend:
		a.send(x)
	case doSettle:
		a.effector.start(task{effect: a.effector.effect, settle: true})
	case doRelease:
		a.release(x)
	case doRest:
		a.pause.Reset(a.cfg.Backoff.pause(x.attempt))
	case doAnswer:
		a.answer(x)
	case doGrant:
		a.grant(x)
	case doHurry:
		a.hurry(x)
	case doExpire:
		a.expire(x)
	case doFold:
		a.cfg.Fold(x.view.Generation)
	case doRestFold:
		a.refold.Reset(a.cfg.Backoff.pause(x.attempt))
	case doEndRegular:
		a.periods.renew(&a.periods.regular, x.err)
	case doEndScratch:
		a.periods.renew(&a.periods.scratch, x.err)
	case doEndLife:
		a.periods.endLife(x.err)
	}
}

func (a *Actor) publish() {
	v := a.lock.view
	a.view.Store(&v)
}

// send claims the callers of a job at the last moment, and hands the effect over.
func (a *Actor) send(x action) {
	b := a.jobs[x.ticket]
	if !b.claim() {
		a.drop(x.ticket)
		return
	}
	e := &Effect{Kind: x.kind, Prev: x.view.Seq, Seq: x.view.Seq + 1, Generation: x.view.Generation}
	b.fill(e, a.rows[:0])
	a.rows = e.Rows
	a.effector.start(task{effect: e})
}

// release lets the callers of a job leave that was certainly not done.
func (a *Actor) release(x action) {
	b := a.jobs[x.ticket]
	b.release()
	clear(a.rows) // those who leave take theirs along; send fills it again
	if b.abandoned() {
		a.drop(x.ticket)
	}
}

// drop forgets a job that is not under way and that nobody wants.
func (a *Actor) drop(t ticket) {
	delete(a.jobs, t)
	a.tell(event{what: dropped, ticket: t})
}

// answer answers the callers of a job, or a call that waits.
func (a *Actor) answer(x action) {
	if r, waits := a.asks[x.ticket]; waits {
		a.forget(x.ticket)
		r.answer(nil, x.err)
		return
	}
	b := a.jobs[x.ticket]
	delete(a.jobs, x.ticket)
	if b.kind == Discard && x.err == nil {
		a.bind(b)
	}
	b.answer(a.verdicts, x.err)
	if !a.effector.busy {
		clear(a.rows) // the buffer stays, what callers gave does not
	}
}

// bind makes the spans that started or joined a scratch session belong to it.
func (a *Actor) bind(b *batch) {
	for _, r := range b.requests {
		if s := r.deletion.Span; s != nil && a.lock.view.State == StateActive {
			a.periods.bind(s)
		}
	}
}

func (a *Actor) grant(x action) {
	r, p := a.asks[x.ticket], a.grants[x.ticket]
	a.forget(x.ticket)
	p.ticket, p.view = x.ticket, x.view
	a.pins[p.ticket] = p
	if !r.answer(nil, nil) {
		a.handleUnpin(p)
	}
}

func (a *Actor) handleUnpin(p *Pin) {
	delete(a.pins, p.ticket)
	a.tell(event{what: left, ticket: p.ticket})
}

// hurry and expire may meet a pin whose asker left at the very moment of the grant: it is gone,
// and the lock will hear of it next.
func (a *Actor) hurry(x action) {
	if p := a.pins[x.ticket]; p != nil {
		close(p.hurry)
		a.graces.begin(x.ticket)
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
	delete(a.asks, t)
	delete(a.grants, t)
}
