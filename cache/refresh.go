package cache

import (
	"context"
	"slices"

	"github.com/tablecache-go/tablecache/table"
)

// Invalidate says that what the source has in these intervals may have changed: where a record was, and where it is now. Without
// intervals it is all that is covered; and so it is if another index is covered than this one. Fresh reads fetch it anew first, and so
// does Refresh. Invalidate never waits. What is invalidated while it is being fetched stays invalid.
//
// Invalidations are kept in memory, many of them joined where they are next to each other. Readers in other processes learn of
// those that last longer than a moment (see View). The errors are table.ErrUnknownIndex, table.ErrInvalidSpec and table.ErrClosed.
func (c *Cache[R, K]) Invalidate(index string, in ...table.Interval) error {
	if err := c.checkSpec(index, in); err != nil {
		return c.errorf("invalidate", err)
	}
	if c.ctx.Err() != nil {
		return c.errorf("invalidate", table.ErrClosed)
	}
	if len(in) == 0 {
		in = []table.Interval{table.Everything()}
	}
	c.books.invalidate(index, setOf(in...))
	c.tellSoon()
	return nil
}

// InvalidateKeys says that the records with these keys may have changed in the source, appeared or gone. They are fetched by key: Fresh
// reads of ranges wait for that, too, because they may have moved into the range. A key that is named many times is fetched once. InvalidateKeys never
// waits. The errors are ErrNoKeySource, a *table.CodingError of a key that cannot be encoded, and table.ErrClosed.
func (c *Cache[R, K]) InvalidateKeys(keys ...K) error {
	if c.keySource == nil {
		return c.errorf("invalidate", ErrNoKeySource)
	}
	for some := range slices.Chunk(keys, stagedAtOnce) {
		if _, err := c.def.LookupKeys(some...); err != nil {
			return c.errorf("invalidate", err)
		}
	}
	if c.ctx.Err() != nil {
		return c.errorf("invalidate", table.ErrClosed)
	}
	c.books.invalidateKeys(keys)
	c.tellSoon()
	return nil
}

// Replayed says that by now the cache was told of every invalidation that happened before New: so what was covered then is not of unknown
// age any longer. It is for sources that remember invalidations until they were dealt with, as those of package pg.
func (c *Cache[R, K]) Replayed() {
	c.books.replayed()
	c.tellSoon()
}

// Refresh fetches anew whatever is invalid now. It waits, and fails, as Cover does. Records are fetched by key up to 1,000 at a time, which
// change at one moment; then intervals, all in one merge. What was done before an error stays done.
func (c *Cache[R, K]) Refresh(ctx context.Context) error {
	return c.errorf("refresh", c.refresh(ctx, c.books.number(), []table.Interval{table.Everything()}, everyKey(&c.books)))
}

// refresh fetches some of the invalid keys, and what of a set of scores is invalid: of each all that is so when its turn comes; but nothing if
// no invalidation up to a number is left, for those before it have fetched that.
func (c *Cache[R, K]) refresh(ctx context.Context, number uint64, set []table.Interval, keys invalidKeys[K]) error {
	return c.changeSince(ctx, number, flightName("refresh", keys.name, set), func(ctx context.Context, s *state) error {
		if len(keys.upTo(number)) > 0 {
			if err := c.refreshKeys(ctx, s, keys.upTo(s.number)); err != nil {
				return err
			}
		}
		if len(s.invalidIn(set, number)) == 0 {
			return nil
		}
		return c.refreshIntervals(ctx, s, s.invalidIn(set, s.number))
	})
}

// invalidIn returns what of a set is held, and invalid by the invalidations up to a number.
func (s *state) invalidIn(set []table.Interval, number uint64) []table.Interval {
	return within(within(s.intervals(), set), s.marks.upTo(number))
}

func (c *Cache[R, K]) refreshIntervals(ctx context.Context, s *state, invalid []table.Interval) error {
	ch := &change{kept: outside(s.Spans, invalid), fetched: invalid}
	ch.Index, ch.anew = s.Index, len(ch.kept) == 0
	if err := c.bring(ctx, s, ch); err != nil {
		return err
	}
	c.counted.refreshes.Add(1)
	return nil
}

// refreshKeys fetches records by key, and puts those in whose scores are covered. Those that the source does not have, or that are not
// covered any more, go.
func (c *Cache[R, K]) refreshKeys(ctx context.Context, s *state, keys []K) error {
	if len(s.Spans) == 0 { // and so no record is held
		c.books.fetchedKeys(keys, s.number)
		return nil
	}
	for some := range slices.Chunk(keys, stagedAtOnce) {
		number := c.books.number() // before they are fetched
		b, err := c.batchOf(ctx, s, some)
		if err != nil {
			return err
		}
		if err := c.table.Apply(ctx, b); err != nil {
			return sourceError(err)
		}
		c.books.fetchedKeys(some, number)
		c.tellSoon()
		c.counted.refreshes.Add(1)
	}
	return nil
}

// batchOf returns what makes the table have under some keys what the source has.
func (c *Cache[R, K]) batchOf(ctx context.Context, s *state, keys []K) (b table.Batch[R, K], err error) {
	set, stays := s.intervals(), make(map[K]struct{})
	for f, err := range c.fetchKeys(ctx, s.Index, keys) {
		if err != nil {
			return b, err
		}
		if has(set, f.score) {
			b.Put, stays[f.key] = append(b.Put, f.record), struct{}{}
		}
	}
	for _, key := range keys {
		if _, is := stays[key]; !is {
			b.Delete = append(b.Delete, key)
		}
	}
	return b, nil
}
