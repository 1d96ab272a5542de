package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// sizes are the numbers of records that growth is measured at.
var sizes = []int{10_000, 100_000, 1_000_000}

// mostFall is by how much a ratio may be worse with more records than with the fewest.
const mostFall = 1.2

// growth tells how ratios change with the number of records, then looks at the largest table alone.
func (b *bench) growth(ctx context.Context) error {
	ratios := make(map[string][]float64)
	for i, n := range sizes {
		s, err := b.resize(ctx, n)
		if err != nil {
			return err
		}
		for _, g := range s.growing() {
			o, err := compete(ctx, g.contest, b.rounds, 1)
			if err != nil {
				return fmt.Errorf("%s of %d records: %w", g.what, n, err)
			}
			ratios[g.what] = append(ratios[g.what], median(o.ratio))
		}
		if i < len(sizes)-1 {
			continue
		}
		if err := errors.Join(b.tabulate(s, ratios), s.large(ctx), s.durations(ctx)); err != nil {
			return err
		}
	}
	return nil
}

// resize starts over with n records.
func (b *bench) resize(ctx context.Context, n int) (*sides, error) {
	if err := errors.Join(b.forget(), b.bare.FlushAll(ctx).Err()); err != nil {
		return nil, err
	}
	b.records = makeRecords(n)
	b.encoded = encodeAll(b.records)
	return b.full(ctx)
}

// growing is work whose ratio should not depend on the number of records.
type growing struct {
	what    string
	contest contest
}

func (s *sides) growing() []growing {
	b := s.b
	oursPut := func(ctx context.Context, random *rand.Rand) error { return s.table.Put(ctx, *b.any(random)) }
	barePut := func(ctx context.Context, random *rand.Rand) error { return s.bare.put(ctx, b.any(random)) }
	oursMove := func(ctx context.Context, random *rand.Rand) error { return s.table.Put(ctx, *b.moved(random)) }
	bareMove := func(ctx context.Context, random *rand.Rand) error { return s.bare.put(ctx, b.moved(random)) }
	return []growing{
		{"Put one record, 1 goroutine", contest{rate(1, b.time, oursPut), rate(1, b.time, barePut)}},
		{"Put one record, 128 goroutines", contest{rate(128, b.time, oursPut), rate(128, b.time, barePut)}},
		{"range of 100 records", s.ranges(100, 1)},
		{"stream all (Records)", s.streams((*sides).recordsOfAll)},
		{"moving Put, 1 goroutine", contest{rate(1, b.time, oursMove), rate(1, b.time, bareMove)}},
		{"moving Put, 128 goroutines", contest{rate(128, b.time, oursMove), rate(128, b.time, bareMove)}},
	}
}

// moved returns a record with other scores.
func (b *bench) moved(random *rand.Rand) *record {
	r := *b.any(random)
	r.Departs = time.Unix(int64(firstDeparture+random.IntN(len(b.records))), 0).UTC()
	r.Price = float64(random.IntN(1_000_000)) / 100
	return &r
}

func (b *bench) tabulate(s *sides, ratios map[string][]float64) error {
	r := report{mark: "growth", head: []string{"ours / bare"}, widths: []int{-40}}
	for _, n := range sizes {
		r.head, r.widths = append(r.head, thousands(float64(n))), append(r.widths, 10)
	}
	r.head, r.widths = append(r.head, "falls by", "goal", ""), append(r.widths, 9, 8, -6)
	r.begin()
	for _, g := range s.growing() {
		cells, verdict := []string{g.what}, "met"
		for _, ratio := range ratios[g.what] {
			cells = append(cells, fixed(ratio))
		}
		fall := ratios[g.what][0] / percentile(ratios[g.what], 0)
		if fall > mostFall {
			verdict = "MISSED"
		}
		r.add(append(cells, fixed(fall), "<= "+fixed(mostFall), verdict)...)
	}
	return r.end(b.options)
}
