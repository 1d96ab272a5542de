package table

import (
	"context"
	"errors"
	"iter"

	"github.com/tablecache-go/tablecache/engine"
)

// Records returns the records of s as they stand at one moment of the call that ranges over it,
// whatever is written meanwhile; each range is a new read. Records come as they arrive from
// Redis. A record that cannot be decoded, or whose predicate panics, yields a *CodingError in its
// place, and the loop may go on; any other error is the last thing yielded, and a loop that ends
// without one has seen every record. Breaking out of the loop releases everything. Records are the
// caller's; strings of one record may share one piece of memory (see codec.Keeper), so clone a
// short one that is to outlive its record for long.
//
// A read that fits one page neither waits nor makes anyone wait. A longer one makes regular
// writes and folds wait for it until it is in memory, at most for the grace period: then it ends
// with ErrSnapshotExpired if its consumer stalls. Writing to the table inside the loop cannot
// deadlock: a ScratchPut or a merge goes on at once, while a Put waits until the rest of the read
// is in memory, and ends the read, after the grace period, where WithSnapshotMemory is too little.
// When ctx ends the loop yields an error that Is ctx.Err(), within milliseconds.
func (t *Table[R, K]) Records(ctx context.Context, s Spec[R]) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		p, err := t.plan(s)
		if err == nil {
			err = t.read(ctx, p, yield)
		}
		if err != nil {
			var none R
			yield(none, t.errorf("read", err))
		}
	}
}

// errStop ends a read whose consumer has had enough.
var errStop = errors.New("tablecache: the consumer stopped")

// read yields what p asks for, and returns the error that ended it early.
func (t *Table[R, K]) read(ctx context.Context, p plan[R], yield func(R, error) bool) error {
	s := sieve[R, K]{decoder: t.decoder(), plan: p}
	enough := func(pg *page) bool { return s.enough(ctx, pg) }
	err := t.pages(ctx, p, enough, func(pg *page) error { return s.pass(ctx, pg, yield) })
	if errors.Is(err, errStop) {
		return nil
	}
	return err
}

// sieve decodes and judges rows, and counts up to the limit.
type sieve[R any, K comparable] struct {
	*decoder[R, K]
	plan   plan[R]
	passed int
	ready  []judged[R] // what was judged before its page could be passed on
	judged *page
}

type judged[R any] struct {
	record R
	err    error
}

// enough tells whether a first page holds the whole answer because of its limit.
func (s *sieve[R, K]) enough(ctx context.Context, pg *page) bool {
	if s.plan.limit == 0 {
		return false
	}
	if s.plan.recheck == nil {
		return len(pg.rows) >= s.plan.limit
	}
	s.ready, s.judged = nil, pg
	for i := 0; i < len(pg.rows) && ctx.Err() == nil; i++ {
		if err, ok := s.judge(pg, i); ok {
			s.ready = append(s.ready, judged[R]{s.record, err})
		}
		if len(s.ready) == s.plan.limit {
			return true
		}
	}
	return false // also when ctx has ended, which whatever comes next will find
}

// judge decodes row i; ok is false when it is not part of the answer.
func (s *sieve[R, K]) judge(pg *page, i int) (err error, ok bool) {
	if err := s.decode(pg.keys[i], pg.rows[i]); err != nil {
		return err, true
	}
	holds, err := judge(s.plan.recheck, &s.record)
	if err != nil {
		err = &CodingError{Table: s.t.def.Name, Key: keyHash(pg.keys[i]), Decoding: true, Err: err}
	}
	return err, holds || err != nil
}

// pass yields the records of one page.
func (s *sieve[R, K]) pass(ctx context.Context, pg *page, yield func(R, error) bool) error {
	if s.judged == pg {
		return s.passReady(ctx, yield)
	}
	for i := range pg.rows {
		if ctx.Err() != nil { // also where a slow predicate lets nothing pass
			return ended(ctx)
		}
		if bad, ok := s.judge(pg, i); ok {
			if err := s.yield(ctx, s.record, bad, yield); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *sieve[R, K]) passReady(ctx context.Context, yield func(R, error) bool) error {
	for _, j := range s.ready {
		if err := s.yield(ctx, j.record, j.err, yield); err != nil {
			return err
		}
	}
	return nil
}

func (s *sieve[R, K]) yield(ctx context.Context, r R, bad error, yield func(R, error) bool) error {
	if ctx.Err() != nil {
		return ended(ctx)
	}
	if !yield(r, bad) {
		return errStop
	}
	s.passed++
	if s.passed == s.plan.limit {
		return errStop
	}
	return nil
}

// pages hands every page of one snapshot to each, in order. A read of one page, or whose first
// page is enough, takes one round trip; for a longer one the snapshot is pinned first.
func (t *Table[R, K]) pages(ctx context.Context, p plan[R], enough func(*page) bool, each func(*page) error) error {
	if len(p.bounds) == 0 {
		return t.alive(ctx)
	}
	q := t.firstAsk(p)
	first, err := t.page(ctx, q)
	if err != nil {
		return err
	}
	if first.last || enough(first) {
		return each(first)
	}
	pin, first, err := t.pinned(ctx, q, first)
	if err != nil {
		return err
	}
	return t.pumped(ctx, q, pin, first, each)
}

// alive answers for reads that need not ask Redis.
func (t *Table[R, K]) alive(ctx context.Context) error {
	if ctx.Err() != nil {
		return ended(ctx)
	}
	select {
	case <-t.actor.Done():
		return ErrClosed
	default:
		return nil
	}
}

func (t *Table[R, K]) firstAsk(p plan[R]) pageAsk {
	q := pageAsk{at: cursor{bounds: p.bounds}, index: p.index, reverse: p.reverse, view: mergedView}
	if p.recheck == nil {
		q.most = min(p.limit, mostEntries)
	}
	return q
}

// pinned returns a pin on the snapshot of the first page, which it reads again if it must.
func (t *Table[R, K]) pinned(ctx context.Context, q pageAsk, first *page) (*engine.Pin, *page, error) {
	pin, err := t.actor.Pin(ctx, first.view)
	if err != nil {
		return nil, nil, err
	}
	if first.of(t.epoch, pin.View()) {
		return pin, first, nil
	}
	q.of = &snapshot{epoch: t.epoch, view: pin.View()}
	if first, err = t.page(ctx, q); err == nil {
		err = pin.Err() // once that has expired the page may be of no moment
	}
	if err != nil {
		pin.Release()
		return nil, nil, err
	}
	return pin, first, nil
}

// of tells whether the page is of a view that the owner of epoch has pinned.
func (s *snapshot) of(epoch string, v engine.View) bool {
	return s.epoch == epoch && s.view.Generation == v.Generation && s.view.Version == v.Version
}

// pumped hands the first page and all that a pump fetches after it to each.
func (t *Table[R, K]) pumped(ctx context.Context, q pageAsk, pin *engine.Pin, first *page, each func(*page) error) error {
	q.of, q.most = &snapshot{epoch: t.epoch, view: pin.View()}, 0
	ctx, cancel := context.WithCancel(ctx)
	m := &pump{pin: pin, closed: t.actor.Done(), memory: t.memory, next: first.next, out: make(chan *page), finished: first.last}
	m.fetch = func(ctx context.Context, at cursor) (*page, error) { return t.pinnedPage(ctx, q, at) }
	if err := t.streams.start(func() { m.run(ctx) }); err != nil {
		cancel()
		pin.Release()
		return err
	}
	defer func() { // also when each panics
		cancel()
		for range m.out { // at once: until run has seen it
		}
	}()
	if err := each(first); err != nil {
		return err
	}
	for pg := range m.out {
		if err := each(pg); err != nil {
			return err
		}
	}
	return m.err
}

// pinnedPage returns the next page of a pinned snapshot.
func (t *Table[R, K]) pinnedPage(ctx context.Context, q pageAsk, at cursor) (*page, error) {
	q.at = at
	if t.walks(q) {
		return t.walk(ctx, q)
	}
	return t.page(ctx, q)
}

// First returns the first record of s, or ErrNotFound.
func (t *Table[R, K]) First(ctx context.Context, s Spec[R]) (R, error) {
	if s.Limit >= 0 { // a negative one is refused, as by all reads
		s.Limit = 1
	}
	for r, err := range t.Records(ctx, s) {
		return r, err
	}
	var none R
	return none, t.errorf("first", ErrNotFound)
}
