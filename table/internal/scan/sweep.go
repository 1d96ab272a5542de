package scan

import (
	"context"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// Sweep reads pages for somebody who deletes what is on them: unlike Read it wants the present, not a snapshot. It knows which
// keys are done with. It is for one goroutine.
type Sweep struct {
	reader  *Reader
	query   Query
	at      cursor
	ahead   *Page // was read ahead; nil: none was
	visited visited
	read    uint64 // the table's number at the last page
	applied uint64 // effects of the sweep since
	begun   bool   // there was a page
}

// Sweep begins at the first of q's bounds.
func (r *Reader) Sweep(q Query) *Sweep {
	return &Sweep{reader: r, query: q, at: cursor{bounds: q.Bounds}}
}

// Page returns the page at the sweep's place, with scores; nil if there is no interval. It is the one that was read ahead, as
// long as nobody else has written since.
func (s *Sweep) Page(ctx context.Context) (*Page, error) {
	if len(s.at.bounds) == 0 {
		return nil, nil
	}
	page := s.takeAhead()
	if page == nil {
		var err error
		if page, err = s.fetch(ctx, s.at); err != nil {
			return nil, err
		}
	}
	if s.begun && !s.alone(page.View.Seq) {
		s.visited.expectAgain()
	}
	s.read, s.applied, s.begun = page.View.Seq, 0, true
	return page, nil
}

// takeAhead returns the page that was read ahead, if it still is what is there.
func (s *Sweep) takeAhead() *Page {
	page, now := s.ahead, s.reader.authority.Acked()
	s.ahead = nil
	if page == nil || page.View.Seq != s.read || !s.alone(now) {
		return nil
	}
	page.View.Seq = now // what the sweep itself has marked is not on it
	return page
}

// alone tells whether nobody but the sweep has had an effect since its last page, where the table's number is now.
func (s *Sweep) alone(now uint64) bool { return now == s.read+s.applied }

// ReadAhead begins to read the page behind one. Call wait before the next effect: a page that was read after it is of no use.
// Whoever wants that page meets the error, if there is one.
func (s *Sweep) ReadAhead(ctx context.Context, behind *Page) (wait func()) {
	next, at := make(chan *Page, 1), behind.next
	read := func() {
		page, err := s.fetch(ctx, at)
		if err != nil {
			page = nil
		}
		next <- page
	}
	if behind.Final || s.reader.Go(read) != nil {
		return func() {}
	}
	return func() { s.ahead = <-next }
}

func (s *Sweep) fetch(ctx context.Context, at cursor) (*Page, error) {
	return s.reader.page(ctx, pageQuery{Query: s.query, at: at, scored: true})
}

// Next moves the sweep's place behind a page.
func (s *Sweep) Next(behind *Page) { s.at = behind.next }

// Find looks keys up again, with their scores, as they are now.
func (s *Sweep) Find(ctx context.Context, keys []engine.Bytes) ([]Found, wire.Moment, error) {
	s.visited.expectAgain()
	return s.reader.Find(ctx, s.query.Scope, s.query.Index, keys)
}

// Applied counts an effect of the sweep.
func (s *Sweep) Applied() { s.applied++ }

// Done notes that the sweep is done with a key, whose memory it keeps.
func (s *Sweep) Done(key []byte) { s.visited.add(key) }

// IsDone tells whether a key has come again that the sweep is done with.
func (s *Sweep) IsDone(key []byte) bool { return s.visited.has(key) }
