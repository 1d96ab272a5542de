package engine

import "sync/atomic"

// Span tells several deletions that belong together from those of another time: a call that
// carries it is refused once the table was cleared (regular) or the scratch session was merged or
// aborted (scratch). A span costs nothing and need not be released. It is safe for concurrent use.
type Span struct {
	period atomic.Pointer[period] // set by the actor, read by everybody
}

// Err returns nil while the span lasts, then why it ended: ErrCleared, ErrScratchMerged,
// ErrScratchAborted, ErrClosed, or the reason why the table can no longer be written.
func (s *Span) Err() error {
	p := s.period.Load()
	select {
	case <-p.done:
		return p.err
	default:
		return nil
	}
}

// Done returns a channel that is closed when the span ends. A scratch span that no Discard has
// bound to a session yet only ends with the table; ask again for the channel after a Discard.
func (s *Span) Done() <-chan struct{} { return s.period.Load().done }

// period is a time that spans belong to. The actor alone begins and ends it.
type period struct {
	done chan struct{} // closed by end
	err  error         // written before done is closed
}

func newPeriod() *period { return &period{done: make(chan struct{})} }

func (p *period) over() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// end ends the period; once it is over nothing more happens.
func (p *period) end(err error) {
	if !p.over() {
		p.err = err
		close(p.done)
	}
}

// periods are the times that the actor keeps.
type periods struct {
	life    *period // until the table is closed or broken; unbound scratch spans belong to it
	regular *period // until the table is cleared
	scratch *period // until the scratch session, or else the next one, ends
}

func newPeriods() periods {
	return periods{life: newPeriod(), regular: newPeriod(), scratch: newPeriod()}
}

// endLife ends all of them, for good.
func (p *periods) endLife(err error) {
	p.life.end(err)
	p.regular.end(err)
	p.scratch.end(err)
}

// renew ends one of them and begins the next, unless life is over.
func (p *periods) renew(which **period, err error) {
	if !p.life.over() {
		(*which).end(err)
		*which = newPeriod()
	}
}

// bind makes an unbound span belong to the scratch session.
func (p *periods) bind(s *Span) { s.period.CompareAndSwap(p.life, p.scratch) }
