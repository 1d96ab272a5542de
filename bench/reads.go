package main

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"

	"github.com/tablecache-go/tablecache/table"
)

func lookup(goroutines int) func(context.Context, *bench) (contest, error) {
	return func(ctx context.Context, b *bench) (contest, error) {
		s, err := b.loaded(ctx)
		ours := func(ctx context.Context, random *rand.Rand) error {
			id := random.Int64N(int64(len(b.records)))
			return get(ctx, s.table, id)
		}
		bare := func(ctx context.Context, random *rand.Rand) error {
			id := random.Int64N(int64(len(b.records)))
			r, err := s.bare.get(ctx, id)
			return errors.Join(err, exactly(int(r.ID), int(id)))
		}
		return contest{rate(goroutines, b.time, ours), rate(goroutines, b.time, bare)}, err
	}
}

// finding is a handle, or a mirror, or a cache that is asked for what is fresh.
type finding interface {
	Get(ctx context.Context, id int64) (record, error)
}

// get looks one record up.
func get(ctx context.Context, h finding, id int64) error {
	r, err := h.Get(ctx, id)
	return errors.Join(err, exactly(int(r.ID), int(id)))
}

// ranges reads intervals of n records each.
func ranges(n, goroutines int) func(context.Context, *bench) (contest, error) {
	return func(ctx context.Context, b *bench) (contest, error) {
		s, err := b.loaded(ctx)
		if err != nil {
			return contest{}, err
		}
		return s.ranges(n, goroutines), nil
	}
}

// far reads them over a slow network.
func far(n, goroutines int) func(context.Context, *bench) (contest, error) {
	return func(ctx context.Context, b *bench) (contest, error) {
		s, err := b.full(ctx)
		if err == nil {
			s, err = b.slow(ctx, s)
		}
		if err != nil {
			return contest{}, err
		}
		return s.ranges(n, goroutines), nil
	}
}

func (s *sides) ranges(n, goroutines int) contest {
	all := len(s.b.records)
	ours := func(ctx context.Context, random *rand.Rand) error { return s.oursBetween(ctx, random.IntN(all-n), n) }
	bare := func(ctx context.Context, random *rand.Rand) error { return s.bareBetween(ctx, random.IntN(all-n), n) }
	return contest{rate(goroutines, s.b.time, ours), rate(goroutines, s.b.time, bare)}
}

func (s *sides) oursBetween(ctx context.Context, i, n int) error { return between(ctx, s.table, i, n) }

// ranging is likewise.
type ranging interface {
	Records(ctx context.Context, s table.Spec[record]) iter.Seq2[record, error]
}

// between reads n records from the i-th on.
func between(ctx context.Context, h ranging, i, n int) error {
	got := 0
	for r, err := range h.Records(ctx, table.Spec[record]{Index: byDeparture, Intervals: []table.Interval{departing(i, n)}}) {
		if err != nil {
			return err
		}
		if r.ID >= int64(i) {
			got++
		}
	}
	return exactly(got, n)
}

func (s *sides) bareBetween(ctx context.Context, i, n int) error {
	got := 0
	err := s.bare.between(ctx, departing(i, n), func(r *record) {
		if r.ID >= int64(i) {
			got++
		}
	})
	return errors.Join(err, exactly(got, n))
}

// streamAll reads everything, in one of two ways.
func streamAll(read func(*sides, context.Context) (int, error)) func(context.Context, *bench) (contest, error) {
	return func(ctx context.Context, b *bench) (contest, error) {
		s, err := b.loaded(ctx)
		if err != nil {
			return contest{}, err
		}
		return s.streams(read), nil
	}
}

func (s *sides) streams(read func(*sides, context.Context) (int, error)) contest {
	all := len(s.b.records)
	ours := func(ctx context.Context) (float64, error) {
		return pace(ctx, all, func(ctx context.Context) error {
			n, err := read(s, ctx)
			return errors.Join(err, exactly(n, all))
		})
	}
	bare := func(ctx context.Context) (float64, error) {
		return pace(ctx, all, func(ctx context.Context) error {
			n := 0
			err := s.bare.all(ctx, func(*record) { n++ })
			return errors.Join(err, exactly(n, all))
		})
	}
	return contest{ours, bare}
}

func (s *sides) recordsOfAll(ctx context.Context) (int, error) { return recordsOf(ctx, s.table) }

// recordsOf reads everything.
func recordsOf(ctx context.Context, h handle) (n int, err error) {
	for _, err := range h.Records(ctx, h.All(byDeparture)) {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func (s *sides) streamOfAll(ctx context.Context) (n int, err error) {
	stream := s.table.Stream(ctx, s.table.All(byDeparture))
	for range stream.C() {
		n++
	}
	return n, stream.Err()
}
