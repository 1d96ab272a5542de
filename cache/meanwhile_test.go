package cache_test

import (
	"context"
	"errors"
	"testing"

	"github.com/tablecache-go/tablecache/cache"
	"github.com/tablecache-go/tablecache/table"
)

// C4: telling others what is invalid forgets nothing of what a change under way is about to cover.
func TestC4_TellingForgetsNothingOfWhatIsAboutToBeCovered(t *testing.T) {
	t.Parallel()
	src, g := newSource(numbered(0, 100)...), newGate()
	c := covering(t, src, from(0, 10))
	src.set(func(s *source) { s.after = g.pass })
	done := async(t, func() error { return c.Cover(t.Context(), "at", from(0, 20)) })
	receive(t, g.reached) // 15 was read as it was
	src.put(item{15, 15, 150})
	ok(t, c.Invalidate("at", from(5, 20)))
	ok(t, c.Tell(t.Context()))
	close(g.opened)
	ok(t, receive(t, done))
	src.heal()
	want(t, c, cache.Fresh(), from(10, 20), append(append(numbered(10, 15), numbered(16, 20)...), item{15, 15, 150})...)
}

// C1: invalidations of what is not covered, however many, leave alone what is.
func TestC1_WhatIsNotCoveredIsNotInvalid(t *testing.T) {
	t.Parallel()
	c := covering(t, newSource(numbered(0, 100)...), from(0, 10))
	for n := range 1500 {
		ok(t, c.Invalidate("at", from(float64(-4*n-4), float64(-4*n-3)), from(float64(4*n+20), float64(4*n+21))))
	}
	if n := c.Stats().Invalid; n != 0 {
		t.Errorf("%d spans are invalid", n)
	}
}

// The source, the check and a predicate may read as it is, and invalidate.
func TestWhatTheCacheCallsMayCallIt(t *testing.T) {
	t.Parallel()
	src := newSource(numbered(0, 100)...)
	var c *caches
	call := func(ctx context.Context) error {
		if _, err := table.Collect(c.Records(ctx, at(from(0, 5)), cache.AsIs())); err != nil {
			return err
		}
		_, err := c.Get(ctx, 3, cache.AsIs())
		return errors.Join(err, c.Invalidate("at", from(7, 8)), c.InvalidateKeys(3))
	}
	checks := 0
	c = newCache(t, openTable(t), src, cache.WithCheck(func(ctx context.Context, d cache.Diff) error {
		if checks++; d.Before == 0 {
			return nil
		}
		return call(ctx)
	}))
	ok(t, c.Cover(t.Context(), "at", from(0, 10)))
	src.set(func(s *source) { s.before, s.after = call, call })
	ok(t, c.Cover(t.Context(), "at", from(0, 20)))
	s := at(from(0, 20)).Where(func(*item) bool { return call(t.Context()) == nil })
	if got, err := table.Collect(c.Records(t.Context(), s, cache.Fresh())); err != nil || len(got) != 20 || checks < 2 {
		t.Errorf("%d records, %v, %d checks", len(got), err, checks)
	}
}
