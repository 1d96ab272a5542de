package cache

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/tablecache-go/tablecache/table"
)

// readThrough answers a spec of which not all is covered from the source, if that is allowed. Nothing of it is stored.
func (c *Cache[R, K]) readThrough(ctx context.Context, s table.Spec[R], through func([]R) error) error {
	c.counted.misses.Add(1)
	if _, err := c.def.Query(s); err != nil {
		return err
	}
	if !c.through {
		return fmt.Errorf("%w: asked by %q, and covered is some of %q", ErrNotCovered, s.Index, c.books.at.Load().Index)
	}
	all, err := c.throughs.do(ctx, since(c.books.number(), flightName("through", s.Index, s.Intervals)), func(ctx context.Context) ([]R, error) {
		records, err := c.inOrder(ctx, s.Index, s.Intervals)
		return records, c.noted(err)
	})
	if err != nil {
		return err
	}
	answer, err := answerOf(s, all)
	if err != nil {
		return err
	}
	return through(answer)
}

// answerOf returns what a spec has of the records in its intervals, which are in order.
func answerOf[R any](s table.Spec[R], all []R) (answer []R, err error) {
	for i := range all {
		if s.Reverse {
			i = len(all) - 1 - i
		}
		holds, err := table.Holds(s.Recheck, &all[i])
		if err != nil {
			return nil, err
		}
		if holds {
			answer = append(answer, all[i])
		}
		if s.Limit > 0 && len(answer) == s.Limit {
			break
		}
	}
	return answer, nil
}

// ordered is a record with what orders it.
type ordered[R any] struct {
	record   R
	interval int
	score    float64
	key      []byte
}

// inOrder returns what the source has in some intervals, in the order of reads.
func (c *Cache[R, K]) inOrder(ctx context.Context, index string, in []table.Interval) ([]R, error) {
	var all []ordered[R]
	for f, err := range c.fetch(ctx, index, setOf(in...)) {
		if err != nil {
			return nil, err
		}
		keys, err := c.def.LookupKeys(f.key)
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(in, func(i table.Interval) bool { return i.Contains(f.score) })
		if at >= 0 { // setOf may be a little more
			all = append(all, ordered[R]{f.record, at, f.score, keys[0]})
		}
	}
	slices.SortFunc(all, func(a, b ordered[R]) int {
		return cmp.Or(cmp.Compare(a.interval, b.interval), cmp.Compare(a.score, b.score), bytes.Compare(a.key, b.key))
	})
	records := make([]R, len(all))
	for i := range all {
		records[i] = all[i].record
	}
	return records, nil
}

// getThrough answers a look-up that the coverage cannot answer from the source, if that is allowed.
func (c *Cache[R, K]) getThrough(ctx context.Context, key K) (r R, err error) {
	c.counted.misses.Add(1)
	if !c.through || c.keySource == nil {
		return r, ErrNotCovered
	}
	name, err := c.keyName(key)
	if err != nil {
		return r, err
	}
	found, err := c.throughs.do(ctx, since(c.books.number(), name), func(ctx context.Context) (found []R, err error) {
		for f, err := range c.fetchKeys(ctx, "", []K{key}) {
			if err != nil {
				return nil, c.noted(err)
			}
			found = append(found, f.record)
		}
		return found, nil
	})
	switch {
	case err != nil:
		return r, err
	case len(found) == 0:
		return r, table.ErrNotFound
	}
	return found[0], nil
}
