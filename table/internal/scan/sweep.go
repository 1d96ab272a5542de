package scan

import (
	"context"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// Sweep reads pages for a caller that deletes what is on them. Unlike Read it reads the present, not a snapshot. It knows which keys
// the caller has dealt with. Only one goroutine may use it.
type Sweep struct {
	reader  *Reader
	query   Query
	at      cursor
	ahead   *Page // the page that was read ahead; nil: none was
	visited visited
	read    uint64 // the table's number at the latest page
	applied uint64 // how many effects the sweep has had since then
	begun   bool   // there was a page already
}

// Sweep returns a sweep of the rows of q that come behind a place; the zero Place is the beginning.
func (r *Reader) Sweep(q Query, behind engine.Place) *Sweep {
	at := cursor{bounds: q.Bounds, score: behind.Score, member: behind.Key}
	if behind.Interval > 0 {
		at.bounds = q.Bounds[behind.Interval-1:]
	}
	return &Sweep{reader: r, query: q, at: at}
}

// Page returns the page at the sweep's place, with scores; nil if q has no intervals. It returns the page that was read ahead, unless
// somebody else has written since.
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

// takeAhead returns the page that was read ahead, if only the sweep has written since it was read.
func (s *Sweep) takeAhead() *Page {
	page, now := s.ahead, s.reader.authority.Shown().Seq
	s.ahead = nil
	if page == nil || page.View.Seq != s.read || !s.alone(now) {
		return nil
	}
	page.View.Seq = now // the rows that the sweep has marked since are not on this page
	return page
}

// alone tells whether only the sweep has had effects since its latest page. now is the table's number now.
func (s *Sweep) alone(now uint64) bool { return now == s.read+s.applied }

// ReadAhead begins to read the page behind one. Call wait before the next effect: a page that was read after that is of no use. If
// the read fails, the page is read again when it is wanted.
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

// Again notes that the present page is going to be read again.
func (s *Sweep) Again() { s.visited.expectAgain() }

// Find looks rows up again by their keys, with their scores, as they are now.
func (s *Sweep) Find(ctx context.Context, keys []engine.Bytes) ([]Found, wire.Moment, error) {
	s.visited.expectAgain()
	return s.reader.Find(ctx, s.query.Scope, s.query.Index, keys)
}

// Applied counts an effect of the sweep.
func (s *Sweep) Applied() { s.applied++ }

// Done notes that the caller has dealt with a key. The sweep keeps its memory.
func (s *Sweep) Done(key []byte) { s.visited.add(key) }

// IsDone tells whether the caller has dealt with a key that has come again.
func (s *Sweep) IsDone(key []byte) bool { return s.visited.has(key) }
