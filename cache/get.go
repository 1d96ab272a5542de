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
	return r, c.errorf("get", err)
}

func (c *Cache[R, K]) get(ctx context.Context, key K, f Freshness) (r R, err error) {
	encoded, err := c.def.LookupKeys(key)
	if err != nil {
		return r, err
	}
	q := c.newQuestion(f)
	q.key, q.encoded = &key, string(encoded[0])
	for {
		now, fresh := c.books.at.Load(), false
		r, err = c.table.GetIfNote(ctx, key, now.version)
		verdict := err
		if err == nil || errors.Is(err, table.ErrNotFound) {
			err = c.locate(now, &q, &r, err)
		}
		if err == nil {
			fresh, err = c.freshen(ctx, now, &q)
		}
		switch {
		case errors.Is(err, table.ErrNoteChanged):
			err = c.learn(ctx, now.version)
		case errors.Is(err, ErrNotCovered) && c.books.isInDoubt():
			err = c.settle(ctx)
		case errors.Is(err, ErrNotCovered):
			return c.getThrough(ctx, key, q.encoded)
		case fresh:
			c.countRead(&q)
			return r, verdict
		}
		if err != nil {
			return r, err
		}
	}
}

// locate says of which part of the coverage an answer to a look-up is. That a record is not there is of all of it.
func (c *Cache[R, K]) locate(now *state, q *question[K], r *R, absent error) error {
	q.index, q.in = now.Index, []table.Interval{table.Everything()}
	if absent != nil {
		return nil
	}
	if len(now.Spans) == 0 {
		return ErrNotCovered
	}
	score, err := c.def.Score(now.Index, r)
	if err != nil {
		return err
	}
	q.in = []table.Interval{table.Only(score)}
	return nil
}
