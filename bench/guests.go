package main

import (
	"context"
	"errors"
	"math/rand/v2"

	"github.com/tablecache-go/tablecache/table"
)

// guests are the handles on one table with all records: its owner and a reader, each with a client of its own.
type guests struct {
	b             *bench
	owner, reader handle
}

func (b *bench) guests(ctx context.Context) (*guests, error) {
	s, err := b.loaded(ctx)
	if err != nil {
		return nil, err
	}
	if b.reader == nil {
		b.visiting = b.client(b.server.Addr())
		if b.reader, err = table.OpenReader(ctx, b.visiting, definition(s.table.Name())); err != nil {
			return nil, err
		}
	}
	return &guests{b: b, owner: s.table, reader: b.reader}, nil
}

// reading is one read with a handle; all is how many records there are.
type reading func(ctx context.Context, h handle, random *rand.Rand, all int) error

// read compares a read by a reader with the same by the owner.
func read(goroutines int, do reading) func(context.Context, *bench) (contest, error) {
	return func(ctx context.Context, b *bench) (contest, error) {
		g, err := b.guests(ctx)
		if err != nil {
			return contest{}, err
		}
		with := func(h handle) side {
			return rate(goroutines, b.time, func(ctx context.Context, random *rand.Rand) error {
				return do(ctx, h, random, len(b.records))
			})
		}
		return contest{with(g.reader), with(g.owner)}, nil
	}
}

func readOne(ctx context.Context, h handle, random *rand.Rand, all int) error {
	return get(ctx, h, random.Int64N(int64(all)))
}

func readRange(n int) reading {
	return func(ctx context.Context, h handle, random *rand.Rand, all int) error {
		return between(ctx, h, random.IntN(all-n), n)
	}
}

// pageSize is how many records a page of a listing has.
const pageSize = 50

func readPage(ctx context.Context, h handle, _ *rand.Rand, _ int) error { return page(ctx, h, "") }

func page(ctx context.Context, h handle, after table.Token) error {
	records, _, err := h.Page(ctx, h.All(byDeparture), after, pageSize)
	return errors.Join(err, exactly(len(records), pageSize))
}

func readCount(ctx context.Context, h handle, random *rand.Rand, all int) error {
	return countHalf(ctx, h, random.IntN(all/2), all)
}

// counting is a handle, or a cache that is asked for what is fresh.
type counting interface {
	Count(ctx context.Context, s table.Spec[record]) (int, error)
}

func countHalf(ctx context.Context, h counting, from, all int) error {
	n, err := h.Count(ctx, table.Spec[record]{Index: byDeparture, Intervals: []table.Interval{departing(from, all/2)}})
	return errors.Join(err, exactly(n, all/2))
}

// readAll compares a reader's copy of everything with the owner's snapshot.
func readAll(ctx context.Context, b *bench) (contest, error) {
	g, err := b.guests(ctx)
	if err != nil {
		return contest{}, err
	}
	all := len(b.records)
	with := func(h handle) side {
		return func(ctx context.Context) (float64, error) {
			return pace(ctx, all, func(ctx context.Context) error {
				n, err := recordsOf(ctx, h)
				return errors.Join(err, exactly(n, all))
			})
		}
	}
	return contest{with(g.reader), with(g.owner)}, nil
}

// depth is how many records go before a deep page.
const depth = 100_000

// pageDeep compares a page far down with the first one.
func pageDeep(ctx context.Context, b *bench) (contest, error) {
	g, err := b.guests(ctx)
	if err != nil {
		return contest{}, err
	}
	deep, err := g.behind(ctx, min(depth, len(b.records)/2))
	if err != nil {
		return contest{}, err
	}
	at := func(token table.Token) side {
		return rate(1, b.time, func(ctx context.Context, _ *rand.Rand) error { return page(ctx, g.owner, token) })
	}
	return contest{at(deep), at("")}, nil
}

// behind returns the token of the page behind the first n records.
func (g *guests) behind(ctx context.Context, n int) (token table.Token, err error) {
	for err == nil && n > 0 {
		size := min(n, batch)
		_, token, err = g.owner.Page(ctx, g.owner.All(byDeparture), token, size)
		n -= size
	}
	return token, err
}
