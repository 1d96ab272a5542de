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

const (
	byItself           = "the table's own"
	mostCovered        = 1.05
	readSlices         = 40 // of each side in a round: what is compared differs by little
	coveredUnits       = "ns a read"
	allocationsOfReads = "cache-allocs"
	countedReads       = 5000
)

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
	r := report{mark: allocationsOfReads, head: []string{"allocations of one fresh, covered read", "cache", "table", "bytes: cache", "table"},
		widths: []int{-40, 8, 8, 12, 8}}
	r.begin()
	random := rand.New(rand.NewPCG(3, 4))
	for _, kind := range []struct {
		what string
		do   answer
	}{{"Records of 100", ranging100}, {"Records of 1", ranging1}, {"Get", getting}, {"Count of half", countingHalf}} {
		var heaps [2]heap
		for i, h := range []answering{fresh{c.cache}, c.table} {
			heaps[i], err = allocatedIn(ctx, countedReads, 1, func(ctx context.Context) error { return kind.do(ctx, h, random, len(b.records)) })
			if err != nil {
				return err
			}
		}
		r.add(kind.what, fixed(heaps[0].count), fixed(heaps[1].count), thousands(heaps[0].bytes), thousands(heaps[1].bytes))
	}
	return r.end(b.options)
}
