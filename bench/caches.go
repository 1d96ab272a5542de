package main

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"time"

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
	coverByHand  = "the same cursor; HSET, ZADD, ZADD of 1,000 in a pipeline"
	renewByHand  = "the same into other keys, then RENAME in a MULTI"
	byItself     = "the table's own"
	leastCover   = 0.8
	mostCovered  = 1.05
	readSlices   = 20 // of each side in a round
	coveredUnits = "ns a read"
)

var besideByHand = section{
	mark: "cache", head: []string{"work", "cache", "by hand", "unit", "cache / by hand", "min..max", "goal", ""}, lines: fillings,
}

var fillings = []line{
	{"cache-cover", "Cover of everything from PostgreSQL", coverByHand, "records/s", leastCover, true, filling((*covered).cover)},
	{"cache-cover-folded", "the same, until all is folded", coverByHand, "records/s", 0, true, filling((*covered).coverAndFold)},
	{"cache-reload", "Reload of everything from PostgreSQL", renewByHand, "records/s", 0, true, renewing},
}

var besideItself = section{
	mark: "cache-reads", head: []string{"fresh, covered read", "cache", "table", "unit", "cache / table", "min..max", "goal", ""}, lines: freshReads, slices: readSlices,
}

var freshReads = []line{
	{"cache-range-100", "Records of 100, 1 caller", byItself, coveredUnits, mostCovered, false, freshly(1, ranging100)},
	{"cache-range-100-x32", "Records of 100, 32 callers", byItself, coveredUnits, mostCovered, false, freshly(32, ranging100)},
	{"cache-range-1", "Records of 1, 1 caller", byItself, coveredUnits, mostCovered, false, freshly(1, ranging1)},
	{"cache-range-1-x32", "Records of 1, 32 callers", byItself, coveredUnits, mostCovered, false, freshly(32, ranging1)},
	{"cache-get", "Get, 1 caller", byItself, coveredUnits, mostCovered, false, freshly(1, getting)},
	{"cache-get-x32", "Get, 32 callers", byItself, coveredUnits, mostCovered, false, freshly(32, getting)},
	{"cache-count", "Count of half, 1 caller", byItself, coveredUnits, mostCovered, false, freshly(1, countingHalf)},
	{"cache-count-x32", "Count of half, 32 callers", byItself, coveredUnits, mostCovered, false, freshly(32, countingHalf)},
}

// caches compares filling a table through a cache with doing so by hand, and reads of what is covered with those of the table.
func (b *bench) caches(ctx context.Context) error {
	for _, s := range []section{besideByHand, besideItself} {
		if err := b.raceOf(ctx, s); err != nil {
			return err
		}
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

// answering is a table, or a cache that is asked for what is fresh.
type answering interface {
	finding
	ranging
	counting
}

// fresh is a cache, asked for what is fresh.
type fresh struct{ *cache.Cache[record, int64] }

// Get returns the record with this key.
func (f fresh) Get(ctx context.Context, id int64) (record, error) {
	return f.Cache.Get(ctx, id, cache.Fresh())
}

// Records returns the records of a spec.
func (f fresh) Records(ctx context.Context, s table.Spec[record]) iter.Seq2[record, error] {
	return f.Cache.Records(ctx, s, cache.Fresh())
}

// Count returns how many records a spec has.
func (f fresh) Count(ctx context.Context, s table.Spec[record]) (int, error) {
	return f.Cache.Count(ctx, s, cache.Fresh())
}

// answer is one read of all these records.
type answer func(ctx context.Context, h answering, random *rand.Rand, all int) error

func ranging100(ctx context.Context, h answering, random *rand.Rand, all int) error {
	return between(ctx, h, random.IntN(all-100), 100)
}

func ranging1(ctx context.Context, h answering, random *rand.Rand, all int) error {
	return between(ctx, h, random.IntN(all-1), 1)
}

func getting(ctx context.Context, h answering, random *rand.Rand, all int) error {
	return get(ctx, h, random.Int64N(int64(all)))
}

func countingHalf(ctx context.Context, h answering, random *rand.Rand, all int) error {
	return countHalf(ctx, h, random.IntN(all/2), all)
}

// covering returns a table of which all is covered, which reads share.
func (b *bench) covering(ctx context.Context) (*covered, error) {
	if b.covered != nil {
		return b.covered, nil
	}
	c, err := b.cached(ctx)
	if err != nil {
		return nil, err
	}
	b.covered = c
	return c, errors.Join(c.coverAll(ctx), c.table.WaitClear(ctx))
}

// freshly compares a read through a cache with the same by the table: how long one takes.
func freshly(callers int, do answer) func(context.Context, *bench) (contest, error) {
	return func(ctx context.Context, b *bench) (contest, error) {
		c, err := b.covering(ctx)
		if err != nil {
			return contest{}, err
		}
		with := func(h answering) side {
			reads := rate(callers, b.time/readSlices, func(ctx context.Context, random *rand.Rand) error { return do(ctx, h, random, len(b.records)) })
			return func(ctx context.Context) (float64, error) {
				perSecond, err := reads(ctx)
				return float64(time.Second.Nanoseconds()) / perSecond, err
			}
		}
		return contest{with(fresh{c.cache}), with(c.table)}, nil
	}
}

// cacheAllocations tells what a read allocates.
func (b *bench) cacheAllocations(ctx context.Context) error {
	c, err := b.covering(ctx)
	if err != nil {
		return err
	}
	r := report{mark: "cache-allocs", head: []string{"allocations of one fresh, covered read", "cache", "table", "bytes: cache", "table"},
		widths: []int{-40, 8, 8, 12, 8}}
	r.begin()
	random := rand.New(rand.NewPCG(3, 4))
	for _, kind := range []struct {
		what string
		do   answer
	}{{"Records of 100", ranging100}, {"Records of 1", ranging1}, {"Get", getting}, {"Count of half", countingHalf}} {
		var heaps [2]heap
		for i, h := range []answering{fresh{c.cache}, c.table} {
			heaps[i], err = allocated(ctx, 1, func(ctx context.Context) error { return kind.do(ctx, h, random, len(b.records)) })
			if err != nil {
				return err
			}
		}
		r.add(kind.what, fixed(heaps[0].count), fixed(heaps[1].count), thousands(heaps[0].bytes), thousands(heaps[1].bytes))
	}
	return r.end(b.options)
}
