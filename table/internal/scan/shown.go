package scan

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// Shown is the authority of a handle that does not own its table: the latest moment that the handle has shown. Answers under any
// owner count if the moment is among what they have. If it is not, and that was confirmed, the handle begins anew with what is
// there.
type Shown struct {
	done chan struct{} // closed by Close
	once sync.Once

	at atomic.Pointer[Progress] // never nil; read by every answer, written under mu

	mu    sync.Mutex // guards writing to at, and what is below
	known lineage    // as it was asked for last
}

// NewShown returns the authority of a handle that has shown nothing yet.
func NewShown() *Shown {
	s := &Shown{done: make(chan struct{})}
	s.at.Store(new(Progress))
	return s
}

var _ Authority = (*Shown)(nil)

// Close ends the handle with ErrClosed.
func (s *Shown) Close() { s.once.Do(func() { close(s.done) }) }

// Done returns a channel that Close closes.
func (s *Shown) Done() <-chan struct{} { return s.done }

// Err returns ErrClosed after Close.
func (s *Shown) Err() error {
	select {
	case <-s.done:
		return engine.ErrClosed
	default:
		return nil
	}
}

// Epoch names the owner of what was shown last.
func (s *Shown) Epoch() layout.Epoch { return s.Shown().Epoch }

// Position is what was shown last.
func (s *Shown) Position() layout.Position { return s.Shown().Position }

// Shown returns what was shown last.
func (s *Shown) Shown() Progress { return *s.at.Load() }

var (
	errBehind = fmt.Errorf("%w: it has not what was shown before", engine.ErrLost)
	// errUnsettled: what was asked for and the lineage are of two owners. Ask again.
	errUnsettled = fmt.Errorf("%w: its truth cannot be read, or its owner changes again and again", engine.ErrLost)
	errNoPins    = errors.New("tablecache: only the owner has snapshots pinned")
)

// Check proves, in this order, that an answer is on the line of what was shown, what its rows are, and that all is there.
func (s *Shown) Check(ctx context.Context, a wire.Answer, since Progress, fetch fetcher) error {
	if a.Epoch == "" {
		return s.checkAbsent(ctx, since, fetch)
	}
	if err := s.checkLine(ctx, progressOf(a.Moment), since, fetch); err != nil {
		return err
	}
	if a.Status == wire.StatusLayout {
		return s.findSchema(ctx, fetch)
	}
	return a.Err(a.Epoch)
}

func (s *Shown) checkLine(ctx context.Context, now, since Progress, fetch fetcher) error {
	if now.Epoch == since.Epoch && (lineage{}).relation(now, since) == follows {
		return nil // as nearly always: no lineage is needed
	}
	if !now.Epoch.IsValid() {
		return fmt.Errorf("%w: its owner cannot be read", engine.ErrLost)
	}
	found := s.relation(now, since)
	if found == unknown {
		l, err := s.learn(ctx, fetch)
		if err != nil {
			return err
		}
		found = l.relation(now, since)
	}
	switch found {
	case strays:
		return errBehind
	case unknown:
		return errUnsettled
	}
	return nil
}

func (s *Shown) relation(now, since Progress) relation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known.relation(now, since)
}

func (s *Shown) learn(ctx context.Context, fetch fetcher) (lineage, error) {
	l, err := fetch(ctx)
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.known = l
	}
	return l, err
}

// checkAbsent returns why an answer had no truth.
func (s *Shown) checkAbsent(ctx context.Context, since Progress, fetch fetcher) error {
	l, err := s.learn(ctx, fetch)
	switch {
	case err != nil:
		return err
	case l.schema != "" && !layout.IsReadable(l.schema):
		return &wire.MovedError{Stored: l.schema}
	case l.at.Epoch != "":
		return errUnsettled
	case l.keys > 0:
		return fmt.Errorf("%w: its truth is missing", engine.ErrLost)
	case since.Epoch != "":
		return fmt.Errorf("%w: %w", engine.ErrLost, wire.ErrNoTable)
	}
	return wire.ErrNoTable
}

// findSchema tells under which schema rows are written.
func (s *Shown) findSchema(ctx context.Context, fetch fetcher) error {
	l, err := s.learn(ctx, fetch)
	switch {
	case err != nil:
		return err
	case l.schema == "":
		return errUnsettled
	}
	return &wire.MovedError{Stored: l.schema}
}

// Conclude moves on to what is shown now. After a loss that was confirmed it begins anew, once: calls that were under way may find
// the same loss.
func (s *Shown) Conclude(a wire.Answer, since Progress, verdict error) {
	now := progressOf(a.Moment)
	if verdict == nil && now.isWithin(*s.at.Load()) {
		return // as nearly always while nobody writes
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at := *s.at.Load()
	switch {
	case since.life != at.life:
		return
	case verdict == nil && s.known.relation(now, at) == follows:
		now.life = at.life
	case errors.Is(verdict, errBehind):
		now.life = at.life + 1
	case errors.Is(verdict, wire.ErrNoTable) && at.Epoch != "":
		now = Progress{life: at.life + 1}
	default:
		return
	}
	s.at.Store(&now)
}

// isWithin tells whether at includes p for certain.
func (p Progress) isWithin(at Progress) bool {
	return p.Epoch == at.Epoch && p.Seq <= at.Seq && p.burns == at.burns
}

// Pin returns an error: an owner does not wait for readers in other processes.
func (s *Shown) Pin(context.Context, engine.View) (Pin, error) { return nil, errNoPins }
