package cache_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tablecache-go/tablecache/cache"
)

// Whatever the source does, and whenever, nothing of it is seen, nothing that was held is lost, and what is wrong is told.
func TestC7_AFailingSourceChangesNothing(t *testing.T) {
	t.Parallel()
	src := newSource(numbered(0, 40)...)
	c := newCache(t, openTable(t), src, cache.WithReadThrough())
	ok(t, c.Cover(t.Context(), "at", from(0, 20)))
	ok(t, c.Invalidate("at", from(0, 5)))
	ok(t, c.InvalidateKeys(3))
	before := c.Coverage()
	for n := range *sourceFailures {
		src.set(func(s *source) { s.wrong = failureAfter(rand.N(30), rand.IntN(len(failures))) })
		c.SpoolOnly(1 + rand.N(1000)) // so that some failures come while records are being staged
		var err error
		switch rand.N(7) {
		case 0:
			err = c.Cover(t.Context(), "at", from(0, 30))
		case 1:
			err = c.Cover(t.Context(), "value", everything)
		case 2:
			err = c.Reload(t.Context())
		case 3:
			err = c.Refresh(t.Context())
		case 4:
			_, err = read(t, c, cache.Fresh(), from(2, 10))
		case 5:
			_, err = c.Get(t.Context(), 3, cache.Fresh())
		case 6:
			_, err = read(t, c, cache.AsIs(), from(10, 30))
		}
		if !errors.Is(err, cache.ErrSource) {
			t.Fatalf("failure %d: got %v", n, err)
		}
		if n%50 > 0 {
			continue
		}
		want(t, c, cache.AsIs(), from(0, 20), numbered(0, 20)...)
		wantRecords(t, c, 20)
		if now := c.Coverage(); !slices.Equal(now.Spans, before.Spans) || now.Index != before.Index || c.Stats().InvalidKeys != 1 {
			t.Fatalf("failure %d: covered is %v", n, now)
		}
	}
	src.heal()
	ok(t, c.Refresh(t.Context()))
	want(t, c, cache.Fresh(), from(0, 20), numbered(0, 20)...)
}

// failureAfter yields records that nobody has, and then fails.
func failureAfter(n, kind int) func(yield func(item, error) bool) {
	return func(yield func(item, error) bool) {
		for id := range int64(n) {
			if !yield(item{id, float64(id), -1}, nil) {
				return
			}
		}
		failures[kind](yield)
	}
}
