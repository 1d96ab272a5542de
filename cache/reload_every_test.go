package cache_test

import (
	"testing"
	"time"

	"github.com/tablecache-go/tablecache/cache"
)

func TestWithReloadEveryReloads(t *testing.T) {
	t.Parallel()
	src := newSource(numbered(0, 10)...)
	c := newCache(t, openTable(t), src, cache.WithReloadEvery(20*time.Millisecond))
	ok(t, c.Cover(t.Context(), "at", from(0, 5)))
	shows := func(wanted int64) func() bool {
		return func() bool {
			got, err := read(t, c, cache.AsIs(), from(0, 5))
			ok(t, err)
			return got[3].Value == wanted
		}
	}
	for value := int64(100); value < 105; value++ {
		src.put(item{3, 3, value})
		until(t, "a reload", shows(value))
	}
	src.fail(errSource)
	until(t, "a reload to fail", func() bool { return c.Stats().LastError != nil })
	wantErr(t, c.Stats().LastError, cache.ErrSource, errSource)
	src.put(item{3, 3, 105})
	want(t, c, cache.Fresh(), from(3, 4), item{3, 3, 104}) // what is there stays
	src.heal()
	until(t, "a reload after a failure", shows(105))
	ok(t, c.Close())
	fetches := src.count()
	if again := c.Close(); again != nil || src.count() != fetches {
		t.Errorf("%v, %d fetches after Close", again, src.count()-fetches)
	}
}

// Where nothing is covered there is nothing to reload, and no source is asked.
func TestWithReloadEveryOfNothingAsksNobody(t *testing.T) {
	t.Parallel()
	src := newSource(numbered(0, 10)...)
	c := newCache(t, openTable(t), src, cache.WithReloadEvery(time.Nanosecond))
	ok(t, c.Cover(t.Context(), "at", from(0, 5)))
	until(t, "reloads", func() bool { return c.Stats().Refreshes > 5 })
	ok(t, c.Cover(t.Context(), "at"))
	refreshes, fetches := c.Stats().Refreshes, src.count()
	ok(t, c.Reload(t.Context())) // after any that was under way
	if s := c.Stats(); s.Refreshes != refreshes || src.count() != fetches {
		t.Errorf("%d reloads of nothing", s.Refreshes-refreshes)
	}
}
