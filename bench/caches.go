package main

import (
	"context"
	"errors"

	"github.com/tablecache-go/tablecache/cache"
	"github.com/tablecache-go/tablecache/table"
)

// covered are the records of a PostgreSQL in a table with a cache, and on bare go-redis.
type covered struct {
	*sides
	cache  *cache.Cache[record, int64]
	origin *origin
}

const (
	coverByHand = "the same cursor; HSET, ZADD, ZADD of 1,000 in a pipeline"
	renewByHand = "the same into other keys, then RENAME in a MULTI"
	leastCover  = 0.8
)

var besideByHand = section{
	mark: "cache", head: []string{"work", "cache", "by hand", "unit", "cache / by hand", "min..max", "goal", ""}, lines: fillings,
}

var fillings = []line{
	{"cache-cover", "Cover of everything from PostgreSQL", coverByHand, "records/s", leastCover, true, filling((*covered).cover)},
	{"cache-cover-folded", "the same, until all is folded", coverByHand, "records/s", 0, true, filling((*covered).coverAndFold)},
	{"cache-reload", "Reload of everything from PostgreSQL", renewByHand, "records/s", 0, true, renewing},
}

// caches compares filling a table through a cache with doing so by hand, and reads of what is covered with those of the table.
func (b *bench) caches(ctx context.Context) error {
	for _, s := range []section{besideByHand, besideItself} {
		if err := b.raceOf(ctx, s); err != nil {
			return err
		}
	}
	if !b.work.MatchString(allocationsOfReads) {
		return nil
	}
	return b.cacheAllocations(ctx)
}

// cached returns a table with a cache that covers nothing.
func (b *bench) cached(ctx context.Context) (*covered, error) {
	o, err := b.source(ctx)
	if err != nil {
		return nil, err
	}
	s, err := b.empty(ctx)
	if err != nil {
		return nil, err
	}
	c, err := cache.New(ctx, s.table, o.cached())
	if err != nil {
		return nil, err
	}
	b.closing = append(b.closing, c.Close)
	return &covered{sides: s, cache: c, origin: o}, nil
}

func (c *covered) coverAll(ctx context.Context) error {
	return c.cache.Cover(ctx, byDeparture, table.Everything())
}

// emptied covers nothing any more, on both sides.
func (c *covered) emptied(ctx context.Context) error {
	return errors.Join(c.cache.Cover(ctx, byDeparture), c.table.WaitClear(ctx), c.bare.clear(ctx), c.b.settled(ctx))
}

func (c *covered) cover(ctx context.Context) (float64, error) {
	if err := c.emptied(ctx); err != nil {
		return 0, err
	}
	rate, err := pace(ctx, len(c.b.records), c.coverAll)
	return rate, errors.Join(err, c.table.WaitClear(ctx))
}

func (c *covered) coverAndFold(ctx context.Context) (float64, error) {
	if err := c.emptied(ctx); err != nil {
		return 0, err
	}
	return pace(ctx, len(c.b.records), func(ctx context.Context) error {
		return errors.Join(c.coverAll(ctx), c.table.WaitClear(ctx))
	})
}

func (c *covered) byHand(ctx context.Context) (float64, error) {
	if err := c.emptied(ctx); err != nil {
		return 0, err
	}
	return pace(ctx, len(c.b.records), func(ctx context.Context) error { return c.bare.fillFrom(ctx, c.origin) })
}

// checked fails unless both sides have stored all, and the same.
func (c *covered) checked(ctx context.Context) error {
	if err := errors.Join(c.emptied(ctx), c.coverAll(ctx), c.table.WaitClear(ctx), c.bare.fillFrom(ctx, c.origin)); err != nil {
		return err
	}
	n, err := c.table.Count(ctx, c.table.All(byPrice))
	stored, also := c.bare.rdb.HLen(ctx, c.bare.rows).Result()
	return errors.Join(err, also, exactly(n, len(c.b.records)), exactly(int(stored), n), c.bare.sameBytes(ctx, c.table.Name(), 1))
}

// filling compares a way of covering everything with filling keys by hand.
func filling(fill func(*covered, context.Context) (float64, error)) func(context.Context, *bench) (contest, error) {
	return func(ctx context.Context, b *bench) (contest, error) {
		c, err := b.cached(ctx)
		if err != nil {
			return contest{}, err
		}
		return contest{func(ctx context.Context) (float64, error) { return fill(c, ctx) }, c.byHand}, c.checked(ctx)
	}
}

// renewing compares a reload with filling other keys, which then take the place of those that are there.
func renewing(ctx context.Context, b *bench) (contest, error) {
	c, err := b.cached(ctx)
	if err != nil {
		return contest{}, err
	}
	renew := func(do func(context.Context) error) side {
		return func(ctx context.Context) (float64, error) {
			if err := errors.Join(c.table.WaitClear(ctx), b.settled(ctx)); err != nil {
				return 0, err
			}
			return pace(ctx, len(b.records), do)
		}
	}
	byHand := func(ctx context.Context) error {
		return c.bare.replace(ctx, func(next *bare) error { return next.fillFrom(ctx, c.origin) })
	}
	return contest{renew(c.cache.Reload), renew(byHand)}, c.checked(ctx)
}
