package mirror

import (
	"context"
	"errors"
	"time"

	"github.com/tablecache-go/tablecache/table"
)

// soon is for how long WaitFor expects that the mirror will see a position by itself, before it asks the table.
const soon = 20 * time.Millisecond

// WaitFor waits until what this mirror shows includes all that the handle that gave p had shown or done, or until ctx ends. What the
// mirror has passed lately it knows, and what comes soon it sees; else it asks the table as a Reader's WaitFor does, with the same errors:
// ErrLost if the table will never include p. ErrClosed: the mirror was closed. What it has waited for stays shown, unless Redis loses it.
func (m *Mirror[R, K]) WaitFor(ctx context.Context, p table.Position) error {
	return m.errorf("wait for a position", m.waitFor(ctx, p))
}

func (m *Mirror[R, K]) waitFor(ctx context.Context, p table.Position) error {
	isPassed := func() bool {
		_, ok := m.positions.shownBy(p)
		return ok
	}
	before := time.NewTimer(soon)
	defer before.Stop()
	if comes, err := m.until(ctx, before.C, isPassed); comes || err != nil {
		return err
	}
	q, err := m.ask(ctx, p)
	if err != nil {
		return err
	}
	asked := time.Since(m.born) // the table included p then, and so q did
	_, err = m.until(ctx, nil, func() bool {
		_, ok := m.positions.shownBy(q)
		return ok || isPassed() || time.Duration(m.proven.Load()) > asked
	})
	return err
}

// Until waits until what the mirror shows is as the caller wants it, or until ctx ends: for a write that was handed to another process, say,
// whose position is not known. holds is called by this goroutine, now and whenever another moment is shown; it sees that moment, or a
// later one if several were shown meanwhile. ErrClosed: the mirror was closed.
func (m *Mirror[R, K]) Until(ctx context.Context, holds func(*Snapshot[R, K]) bool) error {
	_, err := m.until(ctx, nil, func() bool { return holds(m.Snapshot()) })
	return m.errorf("wait", err)
}

// ask waits until the table includes p, and returns a position that does.
func (m *Mirror[R, K]) ask(ctx context.Context, p table.Position) (table.Position, error) {
	ctx, end := context.WithCancel(ctx)
	defer end()
	defer context.AfterFunc(m.life, end)()
	q, err := m.asker.waitFor(ctx, p)
	if err != nil && m.life.Err() != nil {
		err = table.ErrClosed
	}
	return q, err
}

// until waits until something holds, or returns false when it is too late.
func (m *Mirror[R, K]) until(ctx context.Context, late <-chan time.Time, holds func() bool) (bool, error) {
	for {
		news := m.news.next()
		switch {
		case m.life.Err() != nil:
			return false, table.ErrClosed
		case holds():
			return true, nil
		}
		select {
		case <-news:
		case <-late:
			return false, nil
		case <-ctx.Done():
			return false, ended(ctx)
		case <-m.life.Done():
		}
	}
}

// asked is who is asked for positions: a *table.Reader.
type asked interface {
	WaitFor(ctx context.Context, p table.Position) error
	Position() table.Position
	Close() error
}

// asker asks the table for positions, by a Reader that it opens when it needs one. The zero asker has not opened one yet.
type asker struct {
	open func(ctx context.Context) (asked, error)

	turn   turn // guards what follows
	reader asked
	closed bool
}

// waitFor waits until the table includes p, and returns a position that does.
func (a *asker) waitFor(ctx context.Context, p table.Position) (table.Position, error) {
	r, err := a.get(ctx)
	if err != nil {
		return table.Position{}, err
	}
	err = r.WaitFor(ctx, p)
	if errors.Is(err, table.ErrLost) { // which a Reader says once when the table has gone back, whatever p is
		err = r.WaitFor(ctx, p)
	}
	return r.Position(), err
}

func (a *asker) get(ctx context.Context) (asked, error) {
	if err := a.turn.take(ctx); err != nil {
		return nil, err
	}
	defer a.turn.leave()
	if a.closed {
		return nil, table.ErrClosed
	}
	if a.reader != nil {
		return a.reader, nil
	}
	r, err := a.open(ctx)
	if err == nil {
		a.reader = r
	}
	return r, err
}

// close ends what is under way, and all later calls, with ErrClosed.
func (a *asker) close() {
	_ = a.turn.take(context.Background())
	defer a.turn.leave()
	a.closed = true
	if a.reader != nil {
		_ = a.reader.Close()
	}
}

// turn is a lock that may be waited for until a context ends.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

func (t turn) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ended(ctx)
	}
}

func (t turn) leave() { <-t }
