package cache_test

import (
	"context"
	"testing"
	"time"

	"github.com/tablecache-go/tablecache/cache"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// successor opens the table of a cache anew, as another process would, and returns its cache of it.
func successor(t testing.TB, c *caches, src cache.Source[item], opts ...cache.Option) *caches {
	t.Helper()
	tbl, err := table.Open(t.Context(), redistest.Shared(t).Client(t), definition(cache.TableOf(c).Name()))
	ok(t, err)
	t.Cleanup(func() { tbl.Close() })
	return newCache(t, tbl, src, opts...)
}

// U39, C1, C4: a take-over finds what is held, of unknown age: Fresh fetches it anew, MaxStale goes by the time of fetch.
func TestU39_CoverageOutlivesItsOwner(t *testing.T) {
	t.Parallel()
	src, now := newSource(numbered(0, 100)...), newClock()
	first := newCache(t, openTable(t), src, cache.WithClock(now.now))
	ok(t, first.Cover(t.Context(), "at", from(0, 10)))
	now.advance(time.Minute)
	ok(t, first.Cover(t.Context(), "at", from(0, 20)))
	before := first.Coverage()
	src.put(item{5, 5, 50})
	next := successor(t, first, src, cache.WithClock(now.now))
	fetches := src.count()
	for i, span := range next.Coverage().Spans {
		if was := before.Spans[i]; span.Interval != was.Interval || !span.Loaded.Equal(was.Loaded) || !span.Invalid {
			t.Errorf("found %v, which was %v", span, was)
		}
	}
	want(t, next, cache.MaxStale(time.Second), from(10, 20), numbered(10, 20)...)
	want(t, next, cache.MaxStale(time.Minute), from(0, 5), numbered(0, 5)...)
	want(t, next, cache.AsIs(), from(0, 10), numbered(0, 10)...)
	if n := src.count() - fetches; n != 0 {
		t.Errorf("%d fetches of what is held", n)
	}
	want(t, next, cache.Fresh(), from(5, 6), item{5, 5, 50})
	wantErr(t, first.Cover(t.Context(), "at", from(0, 30)), table.ErrFenced)
	receive(t, first.Done())
	wantErr(t, first.Err(), table.ErrFenced)
	wantErr(t, second(read(t, first, cache.AsIs(), from(0, 10))), table.ErrFenced)
}

// A source that replays what has changed makes what is held as fresh as it was.
func TestWhatWasReplayedIsOfKnownAge(t *testing.T) {
	t.Parallel()
	src := newSource(numbered(0, 100)...)
	first := covering(t, src, from(0, 20))
	next := successor(t, first, src)
	src.put(item{5, 5, 50})
	ok(t, next.InvalidateKeys(5)) // what happened before
	next.Replayed()
	fetches := src.count()
	want(t, next, cache.Fresh(), from(0, 20), append(append(numbered(0, 5), numbered(6, 20)...), item{5, 5, 50})...)
	if n := src.count() - fetches; n != 1 || len(src.keys) != 1 {
		t.Errorf("%d fetches, of the keys %v", n, src.keys)
	}
}

// C4: what was loaded under a definition without an attribute was not loaded under one with it, whatever is replayed.
func TestC4_WhatWasLoadedUnderAnotherDefinitionIsLoadedAnew(t *testing.T) {
	t.Parallel()
	src, name := newSource(numbered(0, 100)...), redistest.Prefix(t)
	older := definition(name)
	older.Attributes, older.Indexes = older.Attributes[:2], older.Indexes[:1]
	tbl, err := table.Open(t.Context(), redistest.Shared(t).Client(t), older)
	ok(t, err)
	t.Cleanup(func() { tbl.Close() })
	first := newCache(t, tbl, src)
	ok(t, first.Cover(t.Context(), "at", from(0, 20)))
	next := successor(t, first, src)
	next.Replayed()
	ok(t, next.Tell(t.Context()))
	want(t, next, cache.MaxStale(time.Hour), from(0, 10), numbered(0, 10)...)
	third := successor(t, next, src) // nothing of this is lost with its owner
	third.Replayed()
	fetches := src.count()
	want(t, third, cache.Fresh(), from(0, 10), numbered(0, 10)...)
	if n := src.count() - fetches; n != 0 {
		t.Errorf("%d fetches of what was loaded", n)
	}
	want(t, third, cache.Fresh(), from(0, 20), numbered(0, 20)...)
}

// After Clear nothing is covered, whoever clears.
func TestAfterClearNothingIsCovered(t *testing.T) {
	t.Parallel()
	src := newSource(numbered(0, 100)...)
	c := covering(t, src, from(0, 20))
	ok(t, cache.TableOf(c).Clear(t.Context()))
	wantErr(t, second(read(t, c, cache.AsIs(), from(0, 20))), cache.ErrNotCovered)
	wantErr(t, second(c.Get(t.Context(), 5, cache.AsIs())), cache.ErrNotCovered)
	if got := c.Coverage(); len(got.Spans) != 0 {
		t.Errorf("covered is %v", got)
	}
	ok(t, c.Cover(t.Context(), "at", from(0, 20)))
	want(t, c, cache.Fresh(), from(0, 20), numbered(0, 20)...)
	ok(t, cache.TableOf(c).Clear(t.Context()))
	ok(t, c.Cover(t.Context(), "at", from(10, 20))) // without a read between
	want(t, c, cache.Fresh(), from(10, 20), numbered(10, 20)...)
}

// A Clear while something is fetched, or while the note is about to be told, leaves no coverage without records.
func TestAClearAmongChangesOfTheCoverage(t *testing.T) {
	t.Parallel()
	src := newSource(numbered(0, 100)...)
	c := covering(t, src, from(0, 20))
	tbl, once := cache.TableOf(c), true
	src.set(func(s *source) {
		s.after = func(ctx context.Context) error {
			if !once {
				return nil
			}
			once = false
			return tbl.Clear(ctx)
		}
	})
	ok(t, c.Cover(t.Context(), "at", from(10, 30))) // [10, 20) is not kept any more
	want(t, c, cache.Fresh(), from(10, 30), numbered(10, 30)...)
	ok(t, c.Invalidate("at", from(12, 13)))
	ok(t, tbl.Clear(t.Context()))
	ok(t, c.Tell(t.Context()))
	wantErr(t, second(read(t, c, cache.AsIs(), from(10, 30))), cache.ErrNotCovered)
	wantRecords(t, c, 0)
}

// A note of somebody else covers nothing, and is no error.
func TestANoteOfSomebodyElseCoversNothing(t *testing.T) {
	t.Parallel()
	src := newSource(numbered(0, 100)...)
	c := covering(t, src, from(0, 20))
	ok(t, cache.TableOf(c).Apply(t.Context(), table.Batch[item, int64]{Note: []byte("mine")}))
	wantErr(t, second(read(t, c, cache.AsIs(), from(0, 20))), cache.ErrNotCovered)
	ok(t, c.Cover(t.Context(), "at", from(0, 20)))
	want(t, c, cache.Fresh(), from(0, 20), numbered(0, 20)...)
	wantRecords(t, c, 20)
}

// What another cache has written into the note is covered, and of unknown age: it was told of changes that this one was not.
func TestANoteOfSomebodyElsesCacheIsOfUnknownAge(t *testing.T) {
	t.Parallel()
	src := newSource(numbered(0, 100)...)
	c := covering(t, src, from(0, 20))
	other := newCache(t, cache.TableOf(c), src)
	ok(t, other.Reload(t.Context()))
	want(t, c, cache.AsIs(), from(0, 20), numbered(0, 20)...)
	if spans := c.Coverage().Spans; len(spans) != 1 || !spans[0].Invalid {
		t.Errorf("covered is %v", spans)
	}
	src.put(item{5, 5, 50})
	want(t, c, cache.Fresh(), table.Only(5), item{5, 5, 50})
}

// Close ends what waits for the source, and waits for the source to notice.
func TestCloseEndsCallsUnderWay(t *testing.T) {
	t.Parallel()
	src, g := newSource(numbered(0, 100)...), newGate()
	c := covering(t, src, from(0, 20))
	ok(t, c.Invalidate("at"))
	src.set(func(s *source) { s.before = g.pass })
	reading := async(t, func() error { return second(read(t, c, cache.Fresh(), from(0, 20))) })
	receive(t, g.reached)
	covering := async(t, func() error { return c.Cover(t.Context(), "at", from(0, 30)) })
	ok(t, c.Err())
	ok(t, c.Close())
	receive(t, c.Done())
	wantErr(t, c.Err(), table.ErrClosed)
	wantErr(t, receive(t, reading), table.ErrClosed)
	wantErr(t, receive(t, covering), table.ErrClosed)
	wantErr(t, c.Invalidate("at"), table.ErrClosed)
	wantErr(t, c.InvalidateKeys(1), table.ErrClosed)
	wantErr(t, c.Refresh(t.Context()), table.ErrClosed)
	wantErr(t, c.Reload(context.Background()), table.ErrClosed)
	ok(t, c.Close())
	ok(t, cache.TableOf(c).Put(t.Context(), item{1, 1, 1})) // the table stays open
}
