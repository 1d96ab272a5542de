package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"
)

// scratchPut stages all records on an empty table; the other side fills empty keys.
func scratchPut(ctx context.Context, b *bench) (contest, error) {
	s, err := b.empty(ctx)
	if err != nil {
		return contest{}, err
	}
	ours := func(ctx context.Context) (float64, error) {
		if err := b.settled(ctx); err != nil {
			return 0, err
		}
		rate, err := pace(ctx, len(b.records), func(ctx context.Context) error { return s.stageMany(ctx, b.records) })
		return rate, errors.Join(err, s.table.ScratchAbort(ctx))
	}
	return contest{ours, s.bareBulk}, nil
}

// merge compares the latency of a large merge with that of the smallest.
func merge(ctx context.Context, b *bench) (contest, error) {
	s, err := b.full(ctx)
	if err != nil {
		return contest{}, err
	}
	latency := func(staged []record) side {
		return func(ctx context.Context) (float64, error) {
			took, err := s.merged(ctx, staged)
			return micros(took), errors.Join(err, s.table.WaitClear(ctx))
		}
	}
	return contest{latency(b.records), latency(b.records[:1])}, nil
}

// merged stages records and returns how long the merge took. The fold has begun then.
func (s *sides) merged(ctx context.Context, records []record) (time.Duration, error) {
	if err := s.stageMany(ctx, records); err != nil {
		return 0, err
	}
	start := time.Now()
	err := s.table.ScratchMerge(ctx)
	return time.Since(start), err
}

// fold fills an empty table; the other side fills empty keys.
func fold(ctx context.Context, b *bench) (contest, error) {
	s, err := b.empty(ctx)
	if err != nil {
		return contest{}, err
	}
	ours := func(ctx context.Context) (float64, error) {
		if err := errors.Join(s.table.Clear(ctx), b.settled(ctx)); err != nil {
			return 0, err
		}
		return s.folded(ctx, b.records)
	}
	return contest{ours, s.bareBulk}, nil
}

// folded stages and merges records and returns how many a second are folded.
func (s *sides) folded(ctx context.Context, records []record) (float64, error) {
	if _, err := s.merged(ctx, records); err != nil {
		return 0, err
	}
	return pace(ctx, len(records), s.table.WaitClear)
}

// foldOver replaces all records by the same; the other side writes them again.
func foldOver(ctx context.Context, b *bench) (contest, error) {
	s, err := b.full(ctx)
	if err != nil {
		return contest{}, err
	}
	bare := func(ctx context.Context) (float64, error) {
		return pace(ctx, len(b.records), func(ctx context.Context) error { return s.bare.putMany(ctx, b.encoded) })
	}
	ours := func(ctx context.Context) (float64, error) { return s.folded(ctx, b.records) }
	return contest{ours, bare}, nil
}

// foldPart changes every fifth record: it departs an hour later or earlier, at another price. The other side writes the same.
func foldPart(ctx context.Context, b *bench) (contest, error) {
	s, err := b.full(ctx)
	if err != nil {
		return contest{}, err
	}
	ours, theirs := b.changing(5, time.Hour), b.changing(5, time.Hour)
	fold := func(ctx context.Context) (float64, error) {
		if err := b.settled(ctx); err != nil {
			return 0, err
		}
		return s.folded(ctx, ours())
	}
	bare := func(ctx context.Context) (float64, error) {
		changed := encodeAll(theirs())
		return pace(ctx, len(changed.fields)/2, func(ctx context.Context) error { return s.bare.putMany(ctx, changed) })
	}
	return contest{fold, bare}, nil
}

// changing returns a function that returns every n-th record, changed: the first time it departs later, the second time as it did, and
// so on, each time at another price.
func (b *bench) changing(n int, later time.Duration) func() []record {
	calls := 0
	return func() []record {
		calls++
		random := rand.New(rand.NewPCG(3, uint64(calls)))
		var out []record
		for i := 0; i < len(b.records); i += n {
			r := b.records[i]
			r.Departs, r.Price = r.Departs.Add(time.Duration(calls%2)*later), float64(random.IntN(1_000_000))/100
			out = append(out, r)
		}
		return out
	}
}

// reload loads everything anew; the other side fills other keys and gives them the names of those that are there.
func reload(ctx context.Context, b *bench) (contest, error) {
	s, err := b.full(ctx)
	if err != nil {
		return contest{}, err
	}
	ours := func(ctx context.Context) (float64, error) {
		if err := b.settled(ctx); err != nil {
			return 0, err
		}
		return pace(ctx, len(b.records), s.reload)
	}
	bare := func(ctx context.Context) (float64, error) {
		if err := b.settled(ctx); err != nil {
			return 0, err
		}
		return pace(ctx, len(b.records), func(ctx context.Context) error { return s.bare.reload(ctx, b.encoded) })
	}
	return contest{ours, bare}, nil
}

func (s *sides) reload(ctx context.Context) error {
	return errors.Join(s.discardAll(ctx), s.stageMany(ctx, s.b.records), s.table.ScratchMerge(ctx), s.table.WaitClear(ctx))
}

func (s *sides) discardAll(ctx context.Context) error {
	n, err := s.table.ScratchDiscard(ctx, s.table.All(byDeparture))
	if err == nil && n == 0 {
		err = errors.New("bench: there was nothing to load anew")
	}
	return err
}

// discardHalf discards the earlier half, and aborts when the clock does not run.
func discardHalf(ctx context.Context, b *bench) (contest, error) {
	s, err := b.full(ctx)
	n := len(b.records) / 2
	half := departing(0, n)
	ours := func(ctx context.Context) (float64, error) {
		rate, err := pace(ctx, n, func(ctx context.Context) error {
			gone, err := s.table.ScratchDiscard(ctx, s.table.Range(byDeparture, half.GE, half.LT))
			return errors.Join(err, exactly(gone, n))
		})
		return rate, errors.Join(err, s.table.ScratchAbort(ctx), b.settled(ctx))
	}
	bare := func(ctx context.Context) (float64, error) {
		rate, err := pace(ctx, n, func(ctx context.Context) error {
			hidden, err := s.bare.hide(ctx, half)
			return errors.Join(err, exactly(hidden, n))
		})
		return rate, errors.Join(err, s.bare.show(ctx), b.settled(ctx))
	}
	return contest{ours, bare}, err
}

// foldLatency compares how long short reads take at most, but for one in a hundred, during a fold and without one.
func foldLatency(ctx context.Context, b *bench) (contest, error) {
	s, err := b.full(ctx)
	if err != nil {
		return contest{}, err
	}
	during := func(ctx context.Context) (float64, error) {
		if _, err := s.merged(ctx, b.records); err != nil {
			return 0, err
		}
		return s.slowest(ctx, s.table.WaitClear)
	}
	idle := func(ctx context.Context) (float64, error) {
		return s.slowest(ctx, func(ctx context.Context) error { return pause(ctx, b.time) })
	}
	return contest{during, idle}, nil
}

// slowest reads ranges of 100 records, one after the other, until wait returns, and returns the 99th percentile.
func (s *sides) slowest(ctx context.Context, wait func(context.Context) error) (float64, error) {
	g, ctx := errgroup.WithContext(ctx)
	over := make(chan struct{})
	g.Go(func() error { defer close(over); return wait(ctx) })
	var took []float64
	for i := 0; !isClosed(over); i = (i + 7919) % (len(s.b.records) - 100) {
		start := time.Now()
		if err := s.oursBetween(ctx, i, 100); err != nil {
			return 0, errors.Join(err, g.Wait())
		}
		took = append(took, micros(time.Since(start)))
	}
	return percentile(took, 0.99), g.Wait()
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
