package scan

import (
	"context"
	"errors"

	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// ErrStop ends a read whose consumer has had enough.
var ErrStop = errors.New("tablecache: the consumer stopped")

// Read calls each with every page of one snapshot, in order. A read of one page, or one whose first page is enough, takes one round
// trip. For a longer read the snapshot is pinned first, or all is copied before each is called. enough is asked about the first page,
// and then about all pages of a copy so far. They need not be those that it was asked about before: a copy may be begun anew.
//
// The first page that each is called with tells of the snapshot's moment what the truth said then: its epoch, and the note's number. (That
// of a pinned snapshot may be told later than the snapshot was pinned, never earlier.) The pages behind it need not.
func (r *Reader) Read(ctx context.Context, q Query, enough func([]*Page) bool, each func(*Page) error) error {
	if len(q.Bounds) == 0 {
		return r.Alive(ctx)
	}
	asked := pageQuery{Query: q, at: cursor{bounds: q.Bounds}, most: min(q.Limit, mostEntries)}
	first, err := r.page(ctx, asked)
	if err != nil {
		return err
	}
	if first.Final || enough([]*Page{first}) {
		return each(first)
	}
	if r.snapshots == Copied {
		return r.readUnpinned(ctx, asked, first, enough, each)
	}
	pin, first, err := r.pin(ctx, asked, first)
	if err != nil {
		return err
	}
	return r.readPinned(ctx, asked, pin, first, each)
}

// pin returns a pin and the first page of the snapshot that it keeps. It reads that page again if the pin is on a later snapshot.
func (r *Reader) pin(ctx context.Context, q pageQuery, first *Page) (Pin, *Page, error) {
	pin, err := r.authority.Pin(ctx, first.View)
	if err != nil {
		return nil, nil, err
	}
	pinned := wire.Moment{Epoch: r.authority.Epoch(), View: pin.View()}
	if first.Epoch == pinned.Epoch && first.View.Generation == pinned.View.Generation && first.View.Version == pinned.View.Version {
		return pin, first, nil
	}
	q.of = &pinned
	if first, err = r.page(ctx, q); err == nil {
		err = pin.Err() // if the pin has expired, the page may be of no single moment
	}
	if err != nil {
		pin.Release()
		return nil, nil, err
	}
	return pin, first, nil
}

// readPinned calls each with the first page, and with all pages that a prefetcher brings after it.
func (r *Reader) readPinned(ctx context.Context, q pageQuery, pin Pin, first *Page, each func(*Page) error) error {
	q.of, q.most = &wire.Moment{Epoch: r.authority.Epoch(), View: pin.View()}, 0
	ctx, cancel := context.WithCancel(ctx)
	p := &prefetcher{pin: pin, ended: r.authority.Done(), reason: r.authority.Err, memory: r.memory, next: first.next, out: make(chan *Page),
		finished: first.Final}
	p.fetch = func(ctx context.Context, at cursor) (*Page, error) {
		q := q
		q.at = at
		return r.page(ctx, q)
	}
	if err := r.Go(func() { p.run(ctx) }); err != nil {
		cancel()
		pin.Release()
		return err
	}
	defer func() { // also when each panics
		cancel()
		for range p.out { // ends at once: run sees that ctx has ended
		}
	}()
	if err := each(first); err != nil {
		return err
	}
	for page := range p.out {
		if err := each(page); err != nil {
			return err
		}
	}
	return p.err
}
