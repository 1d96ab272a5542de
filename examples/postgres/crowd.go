package main

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// reader reads once. It tells whether there was an answer, or else that what it wanted is not covered; an answer that is wrong is an error.
type reader func(ctx context.Context) (answered bool, err error)

// tally is what a reader has found.
type tally struct{ answers, refusals int }

// crowd is readers that read over and over.
type crowd struct {
	readers []reader
	tallies []tally // by reader
	first   sync.WaitGroup
	over    chan struct{}
}

// during has readers read all the time while do does something: each at least once before, and once after. It fails as soon as one of them
// does, and returns what each has found.
func during(ctx context.Context, readers []reader, do func(context.Context) error) ([]tally, error) {
	c := &crowd{readers: readers, tallies: make([]tally, len(readers)), over: make(chan struct{})}
	g, ctx := errgroup.WithContext(ctx)
	c.first.Add(len(readers))
	for i := range readers {
		g.Go(func() error { return c.read(ctx, i) })
	}
	g.Go(func() error {
		defer close(c.over)
		if c.first.Wait(); ctx.Err() != nil {
			return ctx.Err()
		}
		return do(ctx)
	})
	err := g.Wait()
	return c.tallies, err
}

func (c *crowd) read(ctx context.Context, i int) error {
	arrive := sync.OnceFunc(c.first.Done)
	defer arrive()
	for last := false; !last; arrive() {
		last = c.isOver()
		began := time.Now()
		answered, err := c.readers[i](ctx)
		switch {
		case err != nil:
			return err
		case answered:
			c.tallies[i].answers++
		default:
			c.tallies[i].refusals++
		}
		c.rest(time.Since(began))
	}
	return nil
}

func (c *crowd) isOver() bool {
	select {
	case <-c.over:
		return true
	default:
		return false
	}
}

// rest leaves the servers to others for as long as a read has taken.
func (c *crowd) rest(d time.Duration) {
	select {
	case <-time.After(d):
	case <-c.over:
	}
}
