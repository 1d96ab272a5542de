package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
)

// allocations tells what one record costs the Go heap on each side, from the call to the socket and back.
func (b *bench) allocations(ctx context.Context) error {
	s, err := b.loaded(ctx)
	if err != nil {
		return err
	}
	r := report{mark: "allocs", head: []string{"allocations for each record", "ours", "bare", "bytes: ours", "bare"},
		widths: []int{-40, 8, 8, 11, 8}}
	r.begin()
	random := rand.New(rand.NewPCG(3, 4))
	for _, w := range s.countable(random) {
		ours, err := allocated(ctx, w.records, w.ours)
		if err != nil {
			return err
		}
		bare, err := allocated(ctx, w.records, w.bare)
		if err != nil {
			return err
		}
		r.add(w.what, fixed(ours.count), fixed(bare.count), fixed(ours.bytes), fixed(bare.bytes))
	}
	return r.end(b.options)
}

// countable is work on so many records.
type countable struct {
	what       string
	records    int
	ours, bare func(context.Context) error
}

func (s *sides) countable(random *rand.Rand) []countable {
	b, all := s.b, len(s.b.records)
	return []countable{
		{"Put, 1,000 a call (bare: encoded before)", all,
			func(ctx context.Context) error { return s.putMany(ctx, b.records) },
			func(ctx context.Context) error { return s.bare.putMany(ctx, b.encoded) }},
		{"Put one record", 1,
			func(ctx context.Context) error { return s.table.Put(ctx, *b.any(random)) },
			func(ctx context.Context) error { return s.bare.put(ctx, b.any(random)) }},
		{"look-up by key", 1,
			func(ctx context.Context) error { _, err := s.table.Get(ctx, b.any(random).ID); return err },
			func(ctx context.Context) error { _, err := s.bare.get(ctx, b.any(random).ID); return err }},
		{"range of 100", 100,
			func(ctx context.Context) error { return s.oursBetween(ctx, random.IntN(all-100), 100) },
			func(ctx context.Context) error { return s.bareBetween(ctx, random.IntN(all-100), 100) }},
		{"stream all (Records)", all,
			func(ctx context.Context) error { _, err := s.recordsOfAll(ctx); return err },
			func(ctx context.Context) error { return s.bare.all(ctx, func(*record) {}) }},
	}
}

type heap struct{ count, bytes float64 }

// allocated returns what do allocates for each of its records, in all goroutines.
func allocated(ctx context.Context, records int, do func(context.Context) error) (heap, error) {
	return allocatedIn(ctx, max(1, 100_000/records), records, do)
}

func allocatedIn(ctx context.Context, runs, records int, do func(context.Context) error) (heap, error) {
	var before, after runtime.MemStats
	err := do(ctx) // what is allocated once does not count
	runtime.ReadMemStats(&before)
	for range runs {
		err = errors.Join(err, do(ctx))
	}
	runtime.ReadMemStats(&after)
	per := float64(runs * records)
	return heap{float64(after.Mallocs-before.Mallocs) / per, float64(after.TotalAlloc-before.TotalAlloc) / per}, err
}
