package cache_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/tablecache-go/tablecache/cache"
	"github.com/tablecache-go/tablecache/table"
)

// told keeps what the cache was told of each record.
type told struct {
	version [50]atomic.Int64
}

// A Fresh read shows whatever was invalidated before it began, and all of its range, however the window moves, records are invalidated by key and by interval, and everything
// is reloaded meanwhile.
func TestAFreshReadShowsWhatWasInvalidatedBeforeIt(t *testing.T) {
	t.Parallel()
	src := newSource(numbered(0, 50)...)
	c := newCache(t, openTable(t, table.WithWriteThrough()), src)
	ok(t, c.Cover(t.Context(), "at", from(0, 50)))
	var said told
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	g, ctx := errgroup.WithContext(ctx)
	again := func(do func() error) {
		g.Go(func() error {
			for ctx.Err() == nil {
				if err := do(); err != nil && ctx.Err() == nil {
					return err
				}
			}
			return nil
		})
	}
	var one sync.Mutex // writers, so that versions come in order
	for range 2 {
		again(func() error { return change(c, src, &said, &one) })
	}
	again(func() error { return c.Cover(ctx, "at", from(0, float64(30+rand.N(20)))) })
	again(func() error { return c.Reload(ctx) })
	again(func() error { return c.Refresh(ctx) })
	var answers, uncovered atomic.Int64
	for range 4 {
		again(func() error {
			err := readFresh(ctx, c, &said)
			if errors.Is(err, cache.ErrNotCovered) {
				uncovered.Add(1)
				return nil
			}
			if answers.Add(1) == 300 {
				stop()
			}
			return err
		})
	}
	ok(t, g.Wait())
	t.Logf("%d answers, %d times not covered, %+v", answers.Load(), uncovered.Load(), c.Stats())
}

// change changes a record in the source, and tells the cache.
func change(c *caches, src *source, said *told, one *sync.Mutex) error {
	one.Lock()
	defer one.Unlock()
	id := rand.Int64N(50)
	version := said.version[id].Load() + 100
	src.put(item{id, float64(id), version + id})
	tell := func() error { return c.InvalidateKeys(id) }
	if rand.N(2) == 0 {
		tell = func() error { return c.Invalidate("at", table.Only(float64(id))) }
	}
	if err := tell(); err != nil {
		return err
	}
	said.version[id].Store(version)
	return nil
}

func readFresh(ctx context.Context, c *caches, said *told) error {
	ge := rand.N(30)
	lt := ge + 1 + rand.N(20)
	var least [50]int64
	for id := range least {
		least[id] = said.version[id].Load()
	}
	got, err := table.Collect(c.Records(ctx, at(from(float64(ge), float64(lt))), cache.Fresh()))
	if err != nil {
		return err
	}
	if len(got) != lt-ge {
		return fmt.Errorf("%d records of [%d, %d)", len(got), ge, lt)
	}
	for i, r := range got {
		if id := int64(ge + i); r.ID != id || r.Value < least[id] {
			return fmt.Errorf("got %v, at least version %d of %d was told", r, least[id], id)
		}
	}
	return nil
}
