package main

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// side measures one thing once, and returns a figure in the unit of its line.
type side func(context.Context) (float64, error)

// contest is what a line compares.
type contest struct{ ours, bare side }

// outcome holds the figures of all rounds.
type outcome struct{ ours, bare, ratio []float64 }

// compete measures both sides by turns, so that what disturbs the machine disturbs both. A round is some turns of each, mostly one; the
// ratio is that of a round.
func compete(ctx context.Context, c contest, rounds, slices int) (o outcome, err error) {
	for round := range rounds {
		var ours, bare []float64
		turns := []turn{{c.ours, &ours}, {c.bare, &bare}}
		for slice := range slices {
			if err := takeTurns(ctx, turns, round*slices+slice); err != nil {
				return o, err
			}
		}
		o.add(median(ours), median(bare))
	}
	return o, nil
}

// turn is a side, and where its figures go.
type turn struct {
	side    side
	figures *[]float64
}

// takeTurns measures each side once. Each time another one is the first.
func takeTurns(ctx context.Context, turns []turn, number int) error {
	for i := range turns {
		t := turns[(number+i)%len(turns)]
		figure, err := once(ctx, t.side)
		if err != nil {
			return err
		}
		*t.figures = append(*t.figures, figure)
	}
	return nil
}

func (o *outcome) add(ours, bare float64) {
	o.ours, o.bare, o.ratio = append(o.ours, ours), append(o.bare, bare), append(o.ratio, ours/bare)
}

// once leaves the garbage of what was before to nobody.
func once(ctx context.Context, s side) (float64, error) {
	runtime.GC()
	return s(ctx)
}

func median(figures []float64) float64 { return percentile(figures, 0.5) }

func percentile(figures []float64, p float64) float64 {
	if len(figures) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(figures))
	return sorted[min(int(p*float64(len(sorted))), len(sorted)-1)]
}

// work is one operation; random is its goroutine's own.
type work func(ctx context.Context, random *rand.Rand) error

// rate returns how often per second so many goroutines do the work, over the given time and after a fifth of it.
func rate(goroutines int, over time.Duration, do work) side {
	return func(ctx context.Context) (float64, error) {
		if _, err := crowd(ctx, goroutines, over/5, do); err != nil {
			return 0, err
		}
		return crowd(ctx, goroutines, over, do)
	}
}

func crowd(ctx context.Context, goroutines int, over time.Duration, do work) (float64, error) {
	counts := make([]int, goroutines)
	g, ctx := errgroup.WithContext(ctx)
	start := time.Now()
	for i := range counts {
		g.Go(func() (err error) {
			counts[i], err = repeat(ctx, start.Add(over), rand.New(rand.NewPCG(uint64(i), 7)), do)
			return err
		})
	}
	err := g.Wait()
	took, all := time.Since(start), 0
	for _, n := range counts {
		all += n
	}
	return float64(all) / took.Seconds(), err
}

func repeat(ctx context.Context, end time.Time, random *rand.Rand, do work) (n int, err error) {
	for time.Now().Before(end) && err == nil {
		err = do(ctx, random)
		n++
	}
	return n, err
}

// pace returns records per second of one pass over n records.
func pace(ctx context.Context, n int, pass func(context.Context) error) (float64, error) {
	start := time.Now()
	err := pass(ctx)
	return float64(n) / time.Since(start).Seconds(), err
}
