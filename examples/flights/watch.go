package main

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tablecache-go/tablecache/table"
)

// total is what a read adds up to. Every flight of a reload has a new revision, so a mix of old and new flights adds
// up to neither.
type total struct {
	flights, minutes int
	revisions        uint64
}

func (t *total) add(f flight) {
	t.flights++
	t.minutes += int(f.Delay)
	t.revisions += uint64(f.Revision)
}

func summary(flights []flight) (t total) {
	for _, f := range flights {
		t.add(f)
	}
	return t
}

// seen counts the reads that saw the old set, the new one, or neither.
type seen struct{ old, fresh, mix int }

// watch is readers that read the same spec over and over.
type watch struct {
	table      *table.Table[flight, int32]
	spec       table.Spec[flight]
	old, fresh total
	group      *errgroup.Group
	first      sync.WaitGroup // done when every reader has read once, or failed
	enough     chan struct{}  // closed by stop: one more read each

	mu   sync.Mutex // guards seen
	seen seen
}

// startWatch starts the readers; stop them with stop.
func startWatch(ctx context.Context, t *table.Table[flight, int32], spec table.Spec[flight], old, fresh total) *watch {
	w := &watch{table: t, spec: spec, old: old, fresh: fresh, enough: make(chan struct{})}
	w.group, ctx = errgroup.WithContext(ctx)
	w.first.Add(readers)
	for range readers {
		w.group.Go(func() error { return w.read(ctx) })
	}
	return w
}

// ready waits until every reader has read once.
func (w *watch) ready(ctx context.Context) error {
	w.first.Wait() // a reader whose context ends is done too
	return ctx.Err()
}

// stop lets every reader read once more and returns what all of them saw.
func (w *watch) stop() (seen, error) {
	close(w.enough)
	err := w.group.Wait()
	return w.seen, err
}

func (w *watch) read(ctx context.Context) error {
	arrive := sync.OnceFunc(w.first.Done)
	defer arrive()
	for last := false; !last; {
		select {
		case <-w.enough:
			last = true
		default:
		}
		start := time.Now()
		if err := w.once(ctx); err != nil {
			return err
		}
		arrive()
		w.rest(time.Since(start))
	}
	return nil
}

// rest is what a reader does with what it has read: for as long as that took it leaves Redis to the others.
func (w *watch) rest(d time.Duration) {
	select {
	case <-time.After(d):
	case <-w.enough:
	}
}

// once streams the whole spec and judges what it added up to.
func (w *watch) once(ctx context.Context) error {
	stream := w.table.Stream(ctx, w.spec)
	var t total
	for f := range stream.C() {
		t.add(f)
	}
	if err := stream.Err(); err != nil {
		return err
	}
	w.count(t)
	return nil
}

func (w *watch) count(t total) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch t {
	case w.old:
		w.seen.old++
	case w.fresh:
		w.seen.fresh++
	default:
		w.seen.mix++
	}
}
