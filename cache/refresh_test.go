package cache_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tablecache-go/tablecache/cache"
	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/table"
)

// U32: what is invalidated while it is being fetched stays invalid.
func TestU32_ARowThatChangesWhileItIsRefreshedIsRefreshedAgain(t *testing.T) {
	t.Parallel()
	refresh := func(ctx context.Context, c *caches) error { return c.Refresh(ctx) }
	reload := func(ctx context.Context, c *caches) error { return c.Reload(ctx) }
	cover := func(ctx context.Context, c *caches) error { return c.Cover(ctx, "at", from(0, 20)) }
	byInterval := func(c *caches, id int64) error { return c.Invalidate("at", table.Only(float64(id))) }
	byKey := func(c *caches, id int64) error { return c.InvalidateKeys(id) }
	for how, way := range map[string]struct {
		invalidate func(*caches, int64) error
		fetch      func(context.Context, *caches) error
		id         int64
	}{
		"by interval":                     {byInterval, refresh, 5},
		"by key":                          {byKey, refresh, 5},
		"by interval, during a reload":    {byInterval, reload, 5},
		"by key, during a reload":         {byKey, reload, 5},
		"by interval, before it is there": {byInterval, cover, 15},
		"by key, before it is there":      {byKey, cover, 15},
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			src, g := newSource(numbered(0, 20)...), newGate()
			c := covering(t, src, from(0, 10))
			ok(t, way.invalidate(c, way.id))
			src.set(func(s *source) { s.after = g.pass })
			done := async(t, func() error { return way.fetch(t.Context(), c) })
			receive(t, g.reached) // the old value was read
			changed := item{way.id, float64(way.id), 1000}
			src.put(changed)
			ok(t, way.invalidate(c, way.id))
			src.heal()
			close(g.opened)
			ok(t, receive(t, done))
			want(t, c, cache.Fresh(), table.Only(changed.At), changed)
		})
	}
}

// U36, U37: however many ask for the same, and however often it was invalidated, it is fetched once.
func TestU36_EqualMissesAreOneFetch(t *testing.T) {
	t.Parallel()
	for how, invalidate := range map[string]func(*caches) error{
		"by interval": func(c *caches) error { return c.Invalidate("at", from(5, 6)) },
		"by key":      func(c *caches) error { return c.InvalidateKeys(5) },
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			src, g := newSource(numbered(0, 10)...), newGate()
			c := covering(t, src, from(0, 10))
			for range 500 {
				ok(t, invalidate(c))
			}
			src.put(item{5, 5, 50})
			src.set(func(s *source) { s.before = g.pass })
			before := src.count()
			var reads []<-chan error
			for range 100 {
				reads = append(reads, async(t, func() error {
					got, err := read(t, c, cache.Fresh(), from(0, 10))
					if err == nil && got[5].Value != 50 {
						err = errors.New("what was invalidated")
					}
					return err
				}))
			}
			receive(t, g.reached)
			close(g.opened)
			for _, one := range reads {
				ok(t, receive(t, one))
			}
			if n := src.count() - before; n != 1 {
				t.Errorf("%d fetches", n)
			}
		})
	}
}

func TestU37_ManyInvalidationsOfOneKeyAreOneFetch(t *testing.T) {
	t.Parallel()
	src := newSource(numbered(0, 10)...)
	c := covering(t, src, from(0, 10))
	for range 500 {
		ok(t, c.InvalidateKeys(5))
	}
	before := src.count()
	ok(t, c.Refresh(t.Context()))
	if n := src.count() - before; n != 1 || len(src.keys[len(src.keys)-1]) != 1 {
		t.Errorf("%d fetches, the last of %v", n, src.keys)
	}
}

// A record that is fetched by key comes in, moves or goes, as the source has it.
func TestInvalidKeysFollowTheSource(t *testing.T) {
	t.Parallel()
	src := newSource(numbered(0, 30)...)
	c := covering(t, src, from(0, 10), from(20, 30))
	src.put(item{1, 25, 1}, item{2, 15, 2}, item{3, 3, 33}, item{100, 5, 100})
	src.delete(4)
	ok(t, c.InvalidateKeys(1, 2, 3, 4, 100))
	if st := c.Stats(); st.InvalidKeys != 5 {
		t.Errorf("%d keys are invalid", st.InvalidKeys)
	}
	want(t, c, cache.AsIs(), from(0, 10), numbered(0, 10)...)
	var low, high []item
	for _, i := range numbered(0, 10) {
		if i.ID == 3 {
			i.Value = 33
		}
		if i.ID != 1 && i.ID != 2 && i.ID != 4 {
			low = append(low, i)
		}
	}
	low, high = append(low, item{100, 5, 100}), append(numbered(20, 30), item{1, 25, 1})
	want(t, c, cache.Fresh(), from(20, 30), high...) // waits although its own records are not named: they may have moved into it
	want(t, c, cache.Fresh(), from(0, 10), low...)
	wantRecords(t, c, len(low)+len(high))
	if st := c.Stats(); st.InvalidKeys != 0 {
		t.Errorf("%d keys are invalid", st.InvalidKeys)
	}
}

func TestWithoutAKeySourceKeysAreRefused(t *testing.T) {
	t.Parallel()
	c := covering(t, onlyByInterval{newSource(numbered(0, 10)...)}, everything)
	wantErr(t, c.InvalidateKeys(1), cache.ErrNoKeySource)
	_, err := c.Get(t.Context(), 5, cache.Fresh())
	ok(t, err)
}

// A key that cannot be encoded is refused, and marks nothing.
func TestAKeyThatCannotBeEncodedIsRefused(t *testing.T) {
	t.Parallel()
	tbl := openText(t)
	c, err := cache.New(t.Context(), tbl, cache.Source[text](textSource{}))
	ok(t, err)
	defer c.Close()
	wantErr(t, c.InvalidateKeys("sound", "\xff"), codec.ErrValue)
	if n := c.Stats().InvalidKeys; n != 0 {
		t.Errorf("%d keys are invalid", n)
	}
}

// C5: nobody waits for a source that hangs but those who need something of it.
func TestC5_OnlyWhoNeedsTheSourceWaitsForIt(t *testing.T) {
	t.Parallel()
	src, g, now := newSource(numbered(0, 100)...), newGate(), newClock()
	c := newCache(t, openTable(t), src, cache.WithClock(now.now))
	ok(t, c.Cover(t.Context(), "at", from(0, 50)))
	now.advance(time.Minute)
	ok(t, c.Invalidate("at", from(0, 10)))
	src.set(func(s *source) { s.before = g.pass })
	moving := async(t, func() error { return c.Cover(t.Context(), "at", from(0, 100)) })
	receive(t, g.reached)
	want(t, c, cache.Fresh(), from(10, 50), numbered(10, 50)...)
	want(t, c, cache.AsIs(), from(0, 50), numbered(0, 50)...)
	want(t, c, cache.MaxStale(time.Minute), from(0, 50), numbered(0, 50)...)
	wantErr(t, second(read(t, c, cache.Fresh(), from(0, 60))), cache.ErrNotCovered)
	_, err := c.Get(t.Context(), 20, cache.Fresh())
	ok(t, err)
	for what, f := range map[string]cache.Freshness{"Fresh": cache.Fresh(), "MaxStale": cache.MaxStale(time.Minute - 1)} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if _, err := table.Collect(c.Records(ctx, at(from(5, 6)), f)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: got %v, want that it waits", what, err)
		}
		cancel()
	}
	close(g.opened)
	ok(t, receive(t, moving))
	want(t, c, cache.Fresh(), from(0, 100), numbered(0, 100)...)
}

// Only what is read is fetched, however much is invalid.
func TestAFreshReadFetchesNoMoreThanItReads(t *testing.T) {
	t.Parallel()
	src := newSource(numbered(0, 100)...)
	c := covering(t, src, from(0, 100))
	ok(t, c.Invalidate("at"))
	want(t, c, cache.Fresh(), from(10, 20), numbered(10, 20)...)
	if last := src.asked[len(src.asked)-1]; !slices.Equal(last, []interval{from(10, 20)}) {
		t.Errorf("asked for %v", last)
	}
	_, err := c.Get(t.Context(), 50, cache.Fresh())
	ok(t, err)
	if last := src.asked[len(src.asked)-1]; !slices.Equal(last, []interval{table.Only(50)}) {
		t.Errorf("asked for %v", last)
	}
	before := src.count()
	_, err = c.Get(t.Context(), 50, cache.Fresh())
	ok(t, err)
	if n := src.count() - before; n != 0 {
		t.Errorf("%d fetches of what was just fetched", n)
	}
	if got := c.Coverage().Spans; len(got) != 5 || got[1].Invalid || !got[2].Invalid || got[3].Invalid {
		t.Errorf("covered is %v", got)
	}
}

// C7: while the source is away, what is there is served as long as it may be, with its age, and never as if there were nothing.
func TestC7_WhatIsThereIsServedWhileTheSourceIsAway(t *testing.T) {
	t.Parallel()
	src, now := newSource(numbered(0, 10)...), newClock()
	c := newCache(t, openTable(t), src, cache.WithClock(now.now))
	ok(t, c.Cover(t.Context(), "at", from(0, 10)))
	src.fail(errSource)
	ok(t, c.Invalidate("at"))
	now.advance(time.Minute)
	wantErr(t, second(read(t, c, cache.Fresh(), from(0, 10))), cache.ErrSource, errSource)
	wantErr(t, second(read(t, c, cache.MaxStale(time.Second), from(0, 10))), cache.ErrSource, errSource)
	wantErr(t, second(c.Get(t.Context(), 1, cache.Fresh())), cache.ErrSource)
	wantErr(t, c.Reload(t.Context()), errSource)
	wantErr(t, c.Refresh(t.Context()), errSource)
	want(t, c, cache.MaxStale(time.Minute), from(0, 10), numbered(0, 10)...)
	want(t, c, cache.AsIs(), from(0, 10), numbered(0, 10)...)
	if st := c.Stats(); st.Oldest != time.Minute || !errors.Is(st.LastError, errSource) || st.LastErrorAt != now.now() || st.Invalid != 1 {
		t.Errorf("%+v", st)
	}
	src.heal()
	want(t, c, cache.Fresh(), from(0, 10), numbered(0, 10)...)
}

// A source that hangs has failed after its time, also one that ends silently then; what is there is still served.
func TestC7_ASourceThatHangsFailsInTime(t *testing.T) {
	t.Parallel()
	src := newSource(numbered(0, 10)...)
	c := newCache(t, openTable(t), src, cache.WithFetchTimeout(10*time.Millisecond))
	src.set(func(s *source) { s.before = func(ctx context.Context) error { <-ctx.Done(); return nil } })
	wantErr(t, c.Cover(t.Context(), "at", from(0, 10)), cache.ErrSource, context.DeadlineExceeded)
	src.heal()
	ok(t, c.Cover(t.Context(), "at", from(0, 10)))
	src.set(func(s *source) { s.before = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() } })
	ok(t, c.InvalidateKeys(1))
	got, err := c.Get(t.Context(), 1, cache.Fresh())
	wantErr(t, err, cache.ErrSource, context.DeadlineExceeded)
	if got != (item{}) {
		t.Errorf("got %v with an error", got)
	}
	want(t, c, cache.AsIs(), from(0, 10), numbered(0, 10)...)
}

// A read that is always fresh ends although invalidations never do.
func TestAFreshReadEndsAmongEndlessInvalidations(t *testing.T) {
	t.Parallel()
	src := newSource(numbered(0, 10)...)
	c := covering(t, src, from(0, 10))
	src.set(func(s *source) {
		s.after = func(context.Context) error { return errors.Join(c.Invalidate("at"), c.InvalidateKeys(5)) }
	})
	ok(t, c.Invalidate("at"))
	ok(t, c.InvalidateKeys(5))
	want(t, c, cache.Fresh(), from(0, 10), numbered(0, 10)...)
	_, err := c.Get(t.Context(), 5, cache.Fresh())
	ok(t, err)
}

// The check sees what a merge would show. What it refuses is not shown, and tried again from the beginning.
func TestTheCheckDecides(t *testing.T) {
	t.Parallel()
	var seen atomic.Pointer[cache.Diff]
	errFew := errors.New("too few")
	src := newSource(numbered(0, 100)...)
	c := newCache(t, openTable(t), src, cache.WithCheck(func(_ context.Context, d cache.Diff) error {
		if seen.Store(&d); d.After < d.Before/2 {
			return errFew
		}
		if d.After == 66 {
			panic("the check")
		}
		return nil
	}))
	ok(t, c.Cover(t.Context(), "at", from(0, 50)))
	for id := range int64(40) {
		src.delete(id)
	}
	wantErr(t, c.Reload(t.Context()), cache.ErrRefused, errFew)
	if got := *seen.Load(); got != (cache.Diff{Before: 50, After: 10}) {
		t.Errorf("the check has seen %+v", got)
	}
	want(t, c, cache.Fresh(), from(0, 50), numbered(0, 50)...)
	src.put(numbered(0, 40)...)
	wantErr(t, c.Cover(t.Context(), "at", from(0, 66)), cache.ErrRefused, table.ErrPanic)
	wantRecords(t, c, 50)
	ok(t, c.Cover(t.Context(), "at", from(0, 60)))
	want(t, c, cache.Fresh(), from(0, 60), numbered(0, 60)...)
}

// More than is fetched before staging arrives whole; a failure behind that leaves nothing either.
func TestAFetchLargerThanTheSpool(t *testing.T) {
	t.Parallel()
	src := newSource(numbered(0, 20_000)...)
	c := newCache(t, openTable(t), src)
	c.SpoolOnly(64 << 10)
	ok(t, c.Cover(t.Context(), "at", from(0, 20_000)))
	want(t, c, cache.Fresh(), from(0, 20_000), numbered(0, 20_000)...)
	src.set(func(s *source) {
		s.wrong = func(yield func(item, error) bool) {
			for _, i := range numbered(0, 15_000) {
				yield(i, nil)
			}
			yield(item{}, errSource)
		}
	})
	wantErr(t, c.Reload(t.Context()), errSource)
	wantRecords(t, c, 20_000)
}
