package engine

import "sync/atomic"

// Span ties deletions together that must not go on beyond a certain end: a deletion that carries a regular span
// is refused once the table was cleared, one with a scratch span once the scratch session was merged or
// aborted. A span costs nothing and need not be released. It is safe for concurrent use.
type Span struct {
	lifetime atomic.Pointer[lifetime] // set by the actor, read by everybody
}

// Err returns nil while the span lasts, then why it ended: ErrCleared, ErrScratchMerged,
// ErrScratchAborted, ErrClosed, or the reason why the table can no longer be written.
func (s *Span) Err() error {
	l := s.lifetime.Load()
	select {
	case <-l.done:
		return l.err
	default:
		return nil
	}
}

// Done returns a channel that is closed when the span ends. While no Discard has bound a scratch span
// to a session, that channel is closed only with the table: get the channel again after a Discard.
func (s *Span) Done() <-chan struct{} { return s.lifetime.Load().done }

// lifetime is shared by the spans that end together. The actor alone begins and ends it.
type lifetime struct {
	done chan struct{} // closed by end
	err  error         // written before done is closed
}

func newLifetime() *lifetime { return &lifetime{done: make(chan struct{})} }

func (l *lifetime) ended() bool {
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}

// end ends the lifetime. If it has ended already, its error stays.
func (l *lifetime) end(err error) {
	if !l.ended() {
		l.err = err
		close(l.done)
	}
}

// lifetimes are the lifetimes that spans may have now.
type lifetimes struct {
	table   *lifetime // lasts until the table is closed or broken; unbound scratch spans have it
	regular *lifetime // lasts until the table is cleared
	scratch *lifetime // lasts until the present scratch session ends, or the next one if none is on
}

func newLifetimes() lifetimes {
	return lifetimes{table: newLifetime(), regular: newLifetime(), scratch: newLifetime()}
}

// endAll ends all of them. None begins after that.
func (l *lifetimes) endAll(err error) {
	l.table.end(err)
	l.regular.end(err)
	l.scratch.end(err)
}

// renew ends one of them and begins the next, unless endAll was called.
func (l *lifetimes) renew(which **lifetime, err error) {
	if !l.table.ended() {
		(*which).end(err)
		*which = newLifetime()
	}
}

// bind makes an unbound span belong to the scratch session.
func (l *lifetimes) bind(s *Span) { s.lifetime.CompareAndSwap(l.table, l.scratch) }
