package scan

import (
	"context"
	"errors"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// Most tables stay as they are during most reads. So a copy is first tried by ranks, as if the first page's snapshot were pinned: each
// answer proves that it is of that snapshot still. That takes half the round trips, and no scores. As soon as the table moves, what
// was read is dropped, and a copy is made by pages and the feed.

// still is a copy of a table that does not move.
type still struct {
	reader *Reader
	asked  pageQuery // of the next page
	pages  []*Page
	full   bool // the last page has found no memory
	done   bool // the pages are all, or enough
	memory share
}

// readUnpinned is Read for more than one page, without a pin.
func (r *Reader) readUnpinned(ctx context.Context, q pageQuery, first *Page, enough func([]*Page) bool, each func(*Page) error) error {
	done, err := r.readStill(ctx, q, first, enough, each)
	if done || err != nil {
		return err
	}
	return r.readCopied(ctx, q, first, enough, each)
}

// readStill calls each with all pages of the first one's snapshot, or with enough of them. It returns false, before each was called,
// if the table moves, or if there is no memory or no way.
func (r *Reader) readStill(ctx context.Context, q pageQuery, first *Page, enough func([]*Page) bool, each func(*Page) error) (bool, error) {
	q.of, q.at, q.most, q.unpinned = &wire.Moment{Epoch: first.Epoch, View: first.View}, first.next, 0, true
	s := &still{reader: r, asked: q, memory: share{budget: r.memory}}
	if !byRank(q, r.sizes()) {
		return false, nil
	}
	defer s.memory.release() // also when each panics
	s.add(first)
	for !s.done && !s.full {
		p, err := r.page(ctx, s.asked)
		if errors.Is(err, engine.ErrSnapshotExpired) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		s.add(p)
		s.done = s.done || enough(s.pages)
	}
	if s.full && len(s.pages) == 1 {
		return false, nil
	}
	return true, s.deliver(ctx, each)
}

// add adds the next page.
func (s *still) add(p *Page) {
	s.pages, s.asked.at, s.done = append(s.pages, p), p.next, p.Final
	s.full = !s.memory.take(p.size())
}

// deliver calls each with the pages that were read, and with those behind them as long as the table does not move.
func (s *still) deliver(ctx context.Context, each func(*Page) error) error {
	for i, p := range s.pages {
		if err := s.reader.Alive(ctx); err != nil {
			return err
		}
		s.pages[i] = nil
		if err := each(p); err != nil {
			return err
		}
		s.memory.free(p.size())
	}
	s.memory.release()
	for !s.done {
		p, err := s.reader.page(ctx, s.asked)
		if errors.Is(err, engine.ErrSnapshotExpired) {
			return expired(errNoMemory)
		}
		if err != nil {
			return err
		}
		s.asked.at, s.done = p.next, p.Final
		if err := each(p); err != nil {
			return err
		}
	}
	return nil
}
