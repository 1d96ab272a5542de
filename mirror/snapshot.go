package mirror

import (
	"context"
	"fmt"

	"github.com/tablecache-go/tablecache/table"
)

// Snapshot is what a Mirror showed at one moment, for several reads of the same moment: it never changes, is never ErrStale, and may be
// kept for as long as one likes, for the memory of what has changed since. There is nothing to release. It is safe for concurrent use,
// and stays when the mirror is closed.
type Snapshot[R any, K comparable] struct {
	reading[R, K]
	of        *version[R, K]
	positions *positions
}

var (
	_ table.KeyReading[struct{}, string] = (*Snapshot[struct{}, string])(nil)
	_ table.NotedReading[struct{}]       = (*Snapshot[struct{}, string])(nil)
)

// Snapshot returns what the mirror shows now. It takes the same for one record and for a million, and does not ask how old that is (see
// Age).
func (m *Mirror[R, K]) Snapshot() *Snapshot[R, K] {
	s := &Snapshot[R, K]{of: m.shown.Load(), positions: &m.positions}
	s.reading = reading[R, K]{def: m.def, source: s}
	return s
}

// version returns the one that there is.
func (s *Snapshot[R, K]) version(ctx context.Context) (*version[R, K], error) {
	if ctx.Err() != nil {
		return nil, ended(ctx)
	}
	return s.of, nil
}

// Position returns the position of the moment.
func (s *Snapshot[R, K]) Position() table.Position { return s.of.at }

// WaitFor returns at once: nil if the snapshot includes p, and ErrStale if it does not, since it never will; also if the mirror does not
// know any more whether it does, for it remembers the latest 8,192 positions, and none from before its latest copy.
func (s *Snapshot[R, K]) WaitFor(ctx context.Context, p table.Position) error {
	number, known := s.positions.shownBy(p)
	switch {
	case ctx.Err() != nil:
		return s.errorf("wait for a position", ended(ctx))
	case p == s.of.at, known && number <= s.of.number:
		return nil
	}
	return s.errorf("wait for a position", fmt.Errorf("%w: the snapshot is of %v", table.ErrStale, s.of.at))
}
