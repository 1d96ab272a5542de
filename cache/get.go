package cache

import (
	"context"
	"errors"

	"github.com/tablecache-go/tablecache/table"
)

// Get returns the record with this key. It waits, and fails, as Records does. That there is none is known only if everything is covered:
// then it is table.ErrNotFound, else ErrNotCovered, or what the source has WithReadThrough if it is a KeySource.
func (c *Cache[R, K]) Get(ctx context.Context, key K, f Freshness) (R, error) {
	r, err := c.get(ctx, key, f)
	if err != nil { // what is there may be too old
		var none R
		return none, c.errorf("get", err)
	}
	return r, nil
}

func (c *Cache[R, K]) get(ctx context.Context, key K, f Freshness) (r R, err error) {
	q := c.newQuestion(f)
	q.byKey, q.key = true, key
	for c.ctx.Err() == nil {
		now := c.books.at.Load()
		var fresh bool
		r, err = c.table.GetIfNote(ctx, key, now.version)
		verdict := err
		if err == nil || errors.Is(err, table.ErrNotFound) {
			verdict, err = c.locate(now, &q, &r, err)
		}
		if err == nil {
			fresh, err = c.freshen(ctx, now, &q)
		}
		switch {
		case errors.Is(err, table.ErrNoteChanged):
			err = c.learnBehind(ctx, now.version)
		case err == ErrNotCovered, fresh && verdict == ErrNotCovered: // errors of the source are more than that
			if len(c.books.inDoubt()) == 0 {
				return c.getThrough(ctx, key)
			}
			err = c.settle(ctx)
		case fresh:
			c.countRead(&q)
			return r, verdict
		}
		if err != nil {
			return r, err
		}
	}
	return r, table.ErrClosed
}

// locate says of which part of the coverage an answer to a look-up is, and what the answer is if that part is fresh. That a record is not
// there is known only if everything is covered.
func (c *Cache[R, K]) locate(now *state, q *question[K], r *R, absent error) (verdict, err error) {
	q.index, q.in = now.Index, nil
	switch {
	case absent != nil && now.now.isEverything():
		q.in = []table.Interval{table.Everything()}
		return absent, nil
	case absent != nil || len(now.Spans) == 0:
		return ErrNotCovered, nil
	case c.def.IsUnstored(now.Index): // it may be anywhere in what is held
		q.in = now.intervals()
		return nil, nil
	}
	score, err := c.def.Score(now.Index, r)
	q.in = []table.Interval{table.Only(score)}
	return nil, err
}
