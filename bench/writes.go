package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
)

// bulkPut fills empty tables.
func bulkPut(ctx context.Context, b *bench) (contest, error) {
	s, err := b.empty(ctx)
	if err != nil {
		return contest{}, err
	}
	ours := func(ctx context.Context) (float64, error) {
		if err := errors.Join(s.table.Clear(ctx), b.settled(ctx)); err != nil {
			return 0, err
		}
		return pace(ctx, len(b.records), func(ctx context.Context) error { return s.putMany(ctx, b.records) })
	}
	return contest{ours, s.bareBulk}, nil
}

// bareBulk fills empty keys on bare go-redis.
func (s *sides) bareBulk(ctx context.Context) (float64, error) {
	if err := errors.Join(s.bare.clear(ctx), s.b.settled(ctx)); err != nil {
		return 0, err
	}
	return pace(ctx, len(s.b.records), func(ctx context.Context) error { return s.bare.putMany(ctx, s.b.encoded) })
}

// put stores records that are there already again, one by one.
func put(goroutines int) func(context.Context, *bench) (contest, error) {
	return func(ctx context.Context, b *bench) (contest, error) {
		s, err := b.loaded(ctx)
		ours := func(ctx context.Context, random *rand.Rand) error { return s.table.Put(ctx, *b.any(random)) }
		bare := func(ctx context.Context, random *rand.Rand) error { return s.bare.put(ctx, b.any(random)) }
		return contest{rate(goroutines, b.time, ours), rate(goroutines, b.time, bare)}, err
	}
}

func (b *bench) any(random *rand.Rand) *record { return &b.records[random.IntN(len(b.records))] }

// remove deletes the earlier half, which is put back before the clock runs.
func remove(ctx context.Context, b *bench) (contest, error) {
	s, err := b.full(ctx)
	half := departing(0, len(b.records)/2)
	n := len(b.records) / 2
	ours := func(ctx context.Context) (float64, error) {
		if err := s.putMany(ctx, b.records[:n]); err != nil {
			return 0, err
		}
		return pace(ctx, n, func(ctx context.Context) error {
			gone, err := s.table.Delete(ctx, s.table.Range(byDeparture, half.GE, half.LT))
			return errors.Join(err, exactly(gone, n))
		})
	}
	bare := func(ctx context.Context) (float64, error) {
		if err := s.bare.putMany(ctx, b.encoded.first(n)); err != nil {
			return 0, err
		}
		return pace(ctx, n, func(ctx context.Context) error {
			gone, err := s.bare.remove(ctx, half)
			return errors.Join(err, exactly(gone, n))
		})
	}
	return contest{ours, bare}, err
}

func (e *encoded) first(n int) *encoded {
	out := &encoded{fields: e.fields[:2*n]}
	for i := range out.members {
		out.members[i] = e.members[i][:n]
	}
	return out
}

// batch returns the i-th batch.
func (e *encoded) batch(i int) *encoded {
	out := &encoded{fields: e.fields[2*i*batch : 2*(i+1)*batch]}
	for j := range out.members {
		out.members[j] = e.members[j][i*batch : (i+1)*batch]
	}
	return out
}

// exactly is an error where a measurement did not do its work.
func exactly(got, want int) error {
	if got != want {
		return fmt.Errorf("bench: %d records, not %d", got, want)
	}
	return nil
}
