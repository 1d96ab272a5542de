package cache_test

import (
	"testing"

	"github.com/tablecache-go/tablecache/cache"
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
