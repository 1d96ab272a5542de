package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tablecache-go/tablecache/table"
)

// besideSession are the two sides of Put beside a scratch session: one goroutine stages all records again and again, and on the other
// side writes them in bulk to keys of its own, while others store records one by one.
func (b *bench) besideSession(ctx context.Context) (ours, bare besides, err error) {
	s, err := b.full(ctx, table.WithWriteThrough())
	if err != nil {
		return besides{}, besides{}, err
	}
	bulk, n := newBare(b.bare, s.bare.rows+"-bulk"), len(b.records)/batch
	stage := func(ctx context.Context, i int) error {
		return s.table.ScratchPut(ctx, b.records[i%n*batch:][:batch]...)
	}
	write := func(ctx context.Context, i int) error { return bulk.putMany(ctx, b.encoded.batch(i%n)) }
	ours = besides{b, stage, func(ctx context.Context, r *record) error { return s.table.Put(ctx, *r) }, s.table.ScratchAbort}
	bare = besides{b, write, s.bare.put, bulk.clear}
	return ours, bare, nil
}

// besides is one side.
type besides struct {
	b    *bench
	bulk func(ctx context.Context, i int) error // writes the i-th batch
	put  func(context.Context, *record) error
	end  func(context.Context) error
}

// while measures while the bulk writer works.
func (x besides) while(ctx context.Context, measure side) (float64, error) {
	g, inner := errgroup.WithContext(ctx)
	stop := make(chan struct{})
	if err := x.bulk(ctx, 0); err != nil { // the session has begun
		return 0, err
	}
	g.Go(func() (err error) {
		for i := 1; err == nil && !isClosed(stop); i++ {
			err = x.bulk(inner, i)
		}
		return err
	})
	figure, err := measure(inner)
	close(stop)
	return figure, errors.Join(err, g.Wait(), x.end(ctx))
}

// rate is how many records a second so many goroutines store.
func (x besides) rate(goroutines int) side {
	do := func(ctx context.Context, random *rand.Rand) error { return x.put(ctx, x.b.any(random)) }
	return func(ctx context.Context) (float64, error) { return x.while(ctx, rate(goroutines, x.b.time, do)) }
}

// slowest is how many microseconds a Put takes at most, but for one in a hundred.
func (x besides) slowest(goroutines int) side {
	return func(ctx context.Context) (float64, error) {
		var mu sync.Mutex
		var took []float64
		do := func(ctx context.Context, random *rand.Rand) error {
			start := time.Now()
			err := x.put(ctx, x.b.any(random))
			mu.Lock()
			defer mu.Unlock()
			took = append(took, micros(time.Since(start)))
			return err
		}
		_, err := x.while(ctx, rate(goroutines, x.b.time, do))
		return percentile(took, 0.99), err
	}
}

func putThrough(goroutines int) func(context.Context, *bench) (contest, error) {
	return func(ctx context.Context, b *bench) (contest, error) {
		ours, bare, err := b.besideSession(ctx)
		return contest{ours.rate(goroutines), bare.rate(goroutines)}, err
	}
}

func putThroughLatency(goroutines int) func(context.Context, *bench) (contest, error) {
	return func(ctx context.Context, b *bench) (contest, error) {
		ours, bare, err := b.besideSession(ctx)
		return contest{ours.slowest(goroutines), bare.slowest(goroutines)}, err
	}
}
