package cache_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tablecache-go/tablecache/cache"
	"github.com/tablecache-go/tablecache/table"
)

func TestSmoke(t *testing.T) {
	t.Parallel()
	src := newSource(numbered(0, 100)...)
	c := covering(t, src, from(0, 10))
	want(t, c, cache.Fresh(), from(0, 10), numbered(0, 10)...)
	ok(t, c.Cover(t.Context(), "at", from(5, 15)))
	if last := src.asked[len(src.asked)-1]; !slices.Equal(last, []interval{from(10, 15)}) {
		t.Errorf("asked %v", last)
	}
	want(t, c, cache.Fresh(), from(5, 15), numbered(5, 15)...)
	_, err := read(t, c, cache.AsIs(), from(0, 10))
	wantErr(t, err, cache.ErrNotCovered)
	src.put(item{7, 7, 70})
	ok(t, c.Invalidate("at", from(7, 8)))
	want(t, c, cache.AsIs(), from(7, 8), item{7, 7, 7})
	want(t, c, cache.Fresh(), from(7, 9), item{7, 7, 70}, item{8, 8, 8})
	ok(t, c.InvalidateKeys(8))
	src.delete(8)
	want(t, c, cache.Fresh(), from(7, 9), item{7, 7, 70})
	_, err = c.Get(t.Context(), 99, cache.Fresh())
	wantErr(t, err, cache.ErrNotCovered)
	r, err := c.Get(t.Context(), 7, cache.Fresh())
	ok(t, err)
	if r.Value != 70 {
		t.Error(r)
	}
	ok(t, c.Reload(t.Context()))
	ok(t, c.Cover(t.Context(), "at", table.Everything()))
	_, err = c.Get(t.Context(), 1000, cache.Fresh())
	wantErr(t, err, table.ErrNotFound)
	t.Logf("%+v", c.Coverage())
	t.Logf("%+v", c.Stats())
	_ = time.Second
}
