package cache

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/tablecache-go/tablecache/table"
)

const (
	mostSpooled   = 64 << 20 // bytes that are fetched before anything is staged
	measured      = 16       // one record of so many is measured
	stagedAtOnce  = 1000     // records
	mostIntervals = 1000     // of one spec
)

// Diff is how many records readers see now, and after a merge.
type Diff struct{ Before, After int }

// bring fetches, stages and merges a change of what is held. Nothing has changed if it fails, unless the error Is table.ErrUnknownOutcome.
func (c *Cache[R, K]) bring(ctx context.Context, s *state, ch *change) error {
	c.prepare(ch, s)
	next, stop := iter.Pull2(c.fetch(ctx, ch.Index, ch.fetched))
	defer stop()
	records, err := c.spool(next)
	if err != nil {
		c.books.drop(ch)
		return err
	}
	return c.merge(ctx, ch, func(session *table.Scratch[R, K]) error {
		if err := c.discard(ctx, session, ch); err != nil {
			return err
		}
		if err := c.stage(ctx, session, records, next); err != nil {
			return err
		}
		return c.checkMerge(ctx, session, ch.Index)
	})
}

// prepare begins a change of what is held.
func (c *Cache[R, K]) prepare(ch *change, s *state) {
	ch.form = c.def.Fingerprint(ch.Index)
	c.books.prepare(ch, s, c.now())
}

// merge makes a change in a scratch session of its own, unless what is held is not what the change began with.
func (c *Cache[R, K]) merge(ctx context.Context, ch *change, stage func(*table.Scratch[R, K]) error) error {
	if err := c.staging.Acquire(ctx, 1); err != nil {
		c.books.drop(ch)
		return ended(ctx)
	}
	defer c.staging.Release(1)
	return c.finish(ctx, ch, c.inSession(ctx, ch, stage))
}

func (c *Cache[R, K]) inSession(ctx context.Context, ch *change, stage func(*table.Scratch[R, K]) error) error {
	doubtful := c.books.inDoubt()
	session, err := c.table.Scratch(ctx)
	if err != nil {
		return err
	}
	defer session.Abort(ctx) // does nothing after the merge; if ctx has ended, the session has too
	if err := c.learnFate(ctx, doubtful); err != nil {
		return err
	}
	if !c.books.at.Load().isOf(ch) {
		return errMoved
	}
	if err := stage(session); err != nil {
		return err
	}
	return session.Merge(ctx, c.books.note(ch))
}

// errMoved: what is held is not what a change began with.
var errMoved = errors.New("tablecache: the coverage was changed by somebody else")

// finish takes in what has become of a change. One that has failed for certain is dropped.
func (c *Cache[R, K]) finish(ctx context.Context, ch *change, err error) error {
	switch {
	case errors.Is(err, table.ErrUnknownOutcome):
		c.books.doubt(ch)
	case err != nil:
		c.books.drop(ch)
	case c.learn(ctx) != nil:
		c.books.doubt(ch) // until the note can be read
	}
	return err
}

// stage stages records that were fetched, and those that are left.
func (c *Cache[R, K]) stage(ctx context.Context, session *table.Scratch[R, K], records []R, next puller[R, K]) (err error) {
	for len(records) > 0 {
		if err := session.Put(ctx, records...); err != nil {
			return sourceError(err)
		}
		if records, err = c.some(next, records[:0]); err != nil {
			return err
		}
	}
	return nil
}

// puller returns the next record of a source.
type puller[R any, K comparable] func() (fetched[R, K], error, bool)

// spool fetches until all is there, or enough to begin with.
func (c *Cache[R, K]) spool(next puller[R, K]) (records []R, err error) {
	bytes := 0
	for bytes < c.spooled {
		f, err, more := next()
		if !more || err != nil {
			return records, err
		}
		if len(records)%measured == 0 {
			n, err := c.def.Size(&f.record)
			if err != nil {
				return nil, sourceError(err)
			}
			bytes += n * measured
		}
		records = append(records, f.record)
	}
	return records, nil
}

// some fetches the next records, into a slice that is not needed any more.
func (c *Cache[R, K]) some(next puller[R, K], records []R) ([]R, error) {
	for len(records) < stagedAtOnce {
		f, err, more := next()
		if !more || err != nil {
			return records, err
		}
		records = append(records, f.record)
	}
	return records, nil
}

// discard stages the deletion of all that a change does not keep.
func (c *Cache[R, K]) discard(ctx context.Context, session *table.Scratch[R, K], ch *change) error {
	kept := Coverage{Spans: ch.kept}
	gone := without([]table.Interval{table.Everything()}, kept.intervals())
	for in := range slices.Chunk(gone, mostIntervals) {
		if _, err := session.Discard(ctx, table.Spec[R]{Index: ch.Index, Intervals: in}); err != nil {
			return err
		}
	}
	return nil
}

// checkMerge asks the check, if there is one, about what a merge would show.
func (c *Cache[R, K]) checkMerge(ctx context.Context, session *table.Scratch[R, K], index string) (err error) {
	if c.check == nil {
		return nil
	}
	var d Diff
	if d.Before, err = c.table.Count(ctx, c.table.All(index)); err != nil {
		return err
	}
	if d.After, err = session.Count(ctx); err != nil {
		return err
	}
	if err := c.ask(ctx, d); err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return nil
}

func (c *Cache[R, K]) ask(ctx context.Context, d Diff) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(p)
		}
	}()
	return c.check(ctx, d)
}
