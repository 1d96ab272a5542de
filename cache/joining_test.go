package cache_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"testing"
	"time"

	"github.com/tablecache-go/tablecache/cache"
	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/internal/faulty"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// words is a source of words, which are their own keys.
type words struct{ before func(context.Context) error }

func (words) Fetch(context.Context, string, []interval) iter.Seq2[string, error] {
	return func(func(string, error) bool) {}
}

func (w words) FetchKeys(ctx context.Context, keys []string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := w.before(ctx); err != nil {
			yield("", err)
			return
		}
		for _, key := range keys {
			if !yield(key, nil) {
				return
			}
		}
	}
}

// C3: calls are joined if they are equal, and not if they only look so: "a1" after 2 invalidations, and "a" after 12.
func TestC3_LookUpsOfDifferentKeysAreNotJoined(t *testing.T) {
	t.Parallel()
	tbl, err := table.Open(t.Context(), redistest.Shared(t).Client(t), table.Definition[string, string]{
		Name:       redistest.Prefix(t),
		PrimaryKey: table.Key(codec.String, func(s *string) string { return *s }),
		Attributes: []table.Attribute[string]{table.Field("word", codec.String, func(s *string) *string { return s })},
		Indexes:    []table.Index[string]{table.By("length", func(s *string) float64 { return float64(len(*s)) })},
	})
	ok(t, err)
	t.Cleanup(func() { tbl.Close() })
	g := newGate()
	c, err := cache.New(t.Context(), tbl, words{g.pass}, cache.WithReadThrough())
	ok(t, err)
	t.Cleanup(func() { c.Close() })
	look := func(key string) <-chan error {
		looking := async(t, func() error {
			got, err := c.Get(t.Context(), key, cache.Fresh())
			if err == nil && got != key {
				err = fmt.Errorf("got %q for %q", got, key)
			}
			return err
		})
		receive(t, g.reached)
		return looking
	}
	ok(t, c.Invalidate("length")) // the second, for a cache begins with one
	one := look("a1")
	for range 10 {
		ok(t, c.Invalidate("length"))
	}
	other := look("a")
	close(g.opened)
	ok(t, receive(t, one))
	ok(t, receive(t, other))
}

// C6: that something else is not covered, from which the source reads, is an error of the source.
func TestC6_WhatIsNotCoveredElsewhereIsAnErrorOfTheSource(t *testing.T) {
	t.Parallel()
	src := newSource(numbered(0, 100)...)
	c := covering(t, src, from(0, 10))
	ok(t, c.Invalidate("at"))
	src.fail(fmt.Errorf("of the source: %w", cache.ErrNotCovered))
	wantErr(t, second(read(t, c, cache.Fresh(), from(0, 10))), cache.ErrSource)
	wantErr(t, second(c.Get(t.Context(), 5, cache.Fresh())), cache.ErrSource)
}

// C3, C7: a source that ends the goroutine it was called in leaves nobody waiting.
func TestC7_ASourceThatEndsItsGoroutineHasFailed(t *testing.T) {
	t.Parallel()
	src := newSource(numbered(0, 100)...)
	c := covering(t, src, from(0, 10))
	src.set(func(s *source) { s.before = func(context.Context) error { runtime.Goexit(); return nil } })
	wantErr(t, receive(t, async(t, func() error { return c.Cover(t.Context(), "at", from(0, 20)) })), table.ErrPanic)
	src.heal()
	ok(t, c.Cover(t.Context(), "at", from(0, 20)))
	want(t, c, cache.AsIs(), from(0, 20), numbered(0, 20)...)
}

// C2: a call that Close has ended says so if nobody knows what it has changed.
func TestC2_WhatCloseEndsTellsWhetherItMayHaveChangedSomething(t *testing.T) {
	t.Parallel()
	proxy := faulty.NewProxy(t, redistest.Shared(t).Socket())
	unknown := 0
	for n, hit := 0, true; hit; n++ {
		tbl, err := table.Open(t.Context(), through(t, proxy), definition(redistest.Prefix(t)), table.WithLease(time.Hour))
		ok(t, err)
		t.Cleanup(func() { tbl.Close() })
		c := newCache(t, tbl, newSource(numbered(0, 100)...))
		hit = endsAtBy(t, proxy, n, faulty.After, func() { c.Close() }, func(ctx context.Context) error {
			err = c.Cover(ctx, "at", from(0, 40))
			return nil
		})
		switch merged := len(newCache(t, tbl, newSource()).Coverage().Spans) > 0; {
		case errors.Is(err, table.ErrUnknownOutcome):
			unknown++
			wantErr(t, err, table.ErrClosed)
		case merged != (err == nil):
			t.Errorf("command %d: merged: %v, but the error is %v", n, merged, err)
		}
	}
	if unknown == 0 {
		t.Error("no outcome was unknown")
	}
}
