package cache_test

import (
	"testing"
	"time"

	"github.com/tablecache-go/tablecache/cache"
	"github.com/tablecache-go/tablecache/table"
)

func byValue(in ...interval) table.Spec[item] { return table.Spec[item]{Index: "value", Intervals: in} }

func TestC1_AViewReadsWhatIsCovered(t *testing.T) {
	t.Parallel()
	throughEach(t, func(t *testing.T, tbl *items, s *sight) {
		src := newSource(numbered(0, 100)...)
		src.delete(15)
		wantUnseen(t, s.view(t, tbl), cache.AsIs(), at(from(10, 20)), cache.ErrNotCovered)
		c := newCache(t, tbl, src)
		ok(t, c.Cover(t.Context(), "at", from(10, 20), from(30, 40)))
		v := s.view(t, tbl)
		both := append(numbered(18, 20), numbered(30, 32)...)
		wantSeen(t, v, cache.Fresh(), at(from(30, 40)), numbered(30, 40)...)
		wantSeen(t, v, cache.Fresh(), at(from(12, 15)), numbered(12, 15)...)
		wantSeen(t, v, cache.Fresh(), at(from(18, 20), from(30, 32)), both...)
		wantSeen(t, v, cache.Fresh(), at(from(30, 40)).Reversed().Max(1), item{39, 39, 39})
		wantSeen(t, v, cache.Fresh(), at(from(15, 16)))
		wantSeen(t, v, cache.Fresh(), at())
		for _, in := range [][]interval{{from(15, 25)}, {from(10, 40)}, {from(12, 13), from(20, 21)}, {from(50, 60)}, {everything}, {table.Only(20)}} {
			for _, f := range []cache.Freshness{cache.Fresh(), cache.MaxStale(time.Hour), cache.AsIs()} {
				wantUnseen(t, v, f, at(in...), cache.ErrNotCovered)
			}
		}
		ok(t, c.Cover(t.Context(), "at", from(30, 50)))
		wantSeen(t, s.view(t, tbl), cache.Fresh(), at(from(30, 50)), numbered(30, 50)...)
		wantUnseen(t, s.view(t, tbl), cache.Fresh(), at(from(10, 20)), cache.ErrNotCovered)
	})
}

func TestC6_AViewReadsAnotherIndexIfEverythingIsCovered(t *testing.T) {
	t.Parallel()
	throughEach(t, func(t *testing.T, tbl *items, s *sight) {
		c := newCache(t, tbl, newSource(item{1, 10, 7}, item{2, 20, 5}, item{3, inf, 6}))
		ok(t, c.Cover(t.Context(), "at", from(-inf, 30)))
		wantUnseen(t, s.view(t, tbl), cache.AsIs(), byValue(from(5, 7)), cache.ErrNotCovered)
		ok(t, c.Cover(t.Context(), "at", everything))
		v := s.view(t, tbl)
		wantSeen(t, v, cache.Fresh(), byValue(from(5, 7)), item{2, 20, 5}, item{3, inf, 6})
		wantSeen(t, v, cache.Fresh(), at(everything), item{1, 10, 7}, item{2, 20, 5}, item{3, inf, 6})
		wantUnseen(t, v, cache.Fresh(), table.Spec[item]{Index: "none", Intervals: []interval{everything}}, table.ErrUnknownIndex)
		ok(t, c.Invalidate("at", from(10, 11)))
		until(t, "what is invalid to be told", func() bool {
			_, err := s.view(t, tbl).Count(t.Context(), byValue(from(5, 6)), cache.Fresh())
			return err != nil
		})
		wantUnseen(t, s.view(t, tbl), cache.Fresh(), byValue(from(5, 6)), table.ErrStale) // whatever record it is that has changed
		wantSeen(t, s.view(t, tbl), cache.AsIs(), byValue(from(5, 6)), item{2, 20, 5})
	})
}

func TestC4_AViewIsToldWhatIsInvalid(t *testing.T) {
	t.Parallel()
	throughEach(t, func(t *testing.T, tbl *items, s *sight) {
		c := newCache(t, tbl, newSource(numbered(0, 100)...))
		ok(t, c.Cover(t.Context(), "at", from(0, 10)))
		ok(t, c.Invalidate("at", from(3, 5)))
		untilStale(t, tbl, s, from(0, 10))
		v := s.view(t, tbl)
		wantUnseen(t, v, cache.Freshness{}, at(from(4, 6)), table.ErrStale)
		wantUnseen(t, v, cache.Fresh(), at(from(0, 1), from(4, 5)), table.ErrStale)
		wantSeen(t, v, cache.Fresh(), at(from(5, 10)), numbered(5, 10)...)
		wantSeen(t, v, cache.AsIs(), at(from(0, 10)), numbered(0, 10)...)
		ok(t, c.Refresh(t.Context()))
		wantSeen(t, s.view(t, tbl), cache.Fresh(), at(from(0, 10)), numbered(0, 10)...)
	})
}

// An invalid key may be that of any record: it is said of all.
func TestC4_AViewIsToldOfInvalidKeys(t *testing.T) {
	t.Parallel()
	throughEach(t, func(t *testing.T, tbl *items, s *sight) {
		src := newSource(numbered(0, 100)...)
		c := newCache(t, tbl, src)
		ok(t, c.Cover(t.Context(), "at", from(0, 10)))
		src.put(item{3, 7.5, 3})
		ok(t, c.InvalidateKeys(3))
		untilStale(t, tbl, s, from(7, 9))
		wantSeen(t, s.view(t, tbl), cache.MaxStale(time.Hour), at(from(7, 9)), numbered(7, 9)...)
		ok(t, c.Refresh(t.Context()))
		until(t, "the table to be fresh", func() bool {
			_, err := s.view(t, tbl).Count(t.Context(), at(from(7, 9)), cache.Fresh())
			return err == nil
		})
		wantSeen(t, s.view(t, tbl), cache.Fresh(), at(from(7, 9)), item{7, 7, 7}, item{3, 7.5, 3}, item{8, 8, 8})
	})
}

// MaxStale goes by the view's own clock.
func TestC4_AViewTakesWhatIsNotTooOld(t *testing.T) {
	t.Parallel()
	throughEach(t, func(t *testing.T, tbl *items, s *sight) {
		cl := newClock()
		s.opts = []cache.Option{cache.WithClock(cl.now)}
		c := newCache(t, tbl, newSource(numbered(0, 100)...), cache.WithClock(cl.now))
		ok(t, c.Cover(t.Context(), "at", from(0, 10)))
		cl.advance(time.Minute)
		ok(t, c.Cover(t.Context(), "at", from(0, 20)))
		ok(t, c.Invalidate("at", from(9, 11)))
		untilStale(t, tbl, s, from(10, 11))
		v := s.view(t, tbl)
		cl.advance(time.Second)
		wantSeen(t, v, cache.MaxStale(time.Second), at(from(10, 20)), numbered(10, 20)...)
		wantSeen(t, v, cache.MaxStale(time.Second), at(from(0, 9)), numbered(0, 9)...) // older, but valid
		wantUnseen(t, v, cache.MaxStale(time.Minute), at(from(9, 20)), table.ErrStale)
		wantSeen(t, v, cache.MaxStale(61*time.Second), at(from(9, 20)), numbered(9, 20)...)
		cl.advance(1)
		wantUnseen(t, v, cache.MaxStale(time.Second), at(from(10, 20)), table.ErrStale)
	})
}

// What another owner has fetched is of unknown age, until the source has told what has changed since, or until it is fetched anew.
func TestC4_AfterATakeOverAViewSeesUnknownAge(t *testing.T) {
	t.Parallel()
	for name, freshen := range map[string]func(*testing.T, *caches){
		"replayed":  func(_ *testing.T, c *caches) { c.Replayed() },
		"refreshed": func(t *testing.T, c *caches) { ok(t, c.Refresh(t.Context())) },
	} {
		t.Run(name, func(t *testing.T) {
			throughEach(t, func(t *testing.T, tbl *items, s *sight) {
				src := newSource(numbered(0, 100)...)
				first := newCache(t, tbl, src)
				ok(t, first.Cover(t.Context(), "at", from(0, 10)))
				wantSeen(t, s.view(t, tbl), cache.Fresh(), at(from(0, 10)), numbered(0, 10)...)
				ok(t, first.Close())
				tbl = reopen(t, tbl)
				wantSeen(t, s.view(t, tbl), cache.Fresh(), at(from(0, 10)), numbered(0, 10)...) // nobody has told anything else
				c := newCache(t, tbl, src)
				untilStale(t, tbl, s, from(0, 10))
				wantSeen(t, s.view(t, tbl), cache.MaxStale(time.Hour), at(from(0, 10)), numbered(0, 10)...)
				freshen(t, c)
				until(t, "the view to be fresh", func() bool {
					_, err := s.view(t, tbl).Count(t.Context(), at(from(0, 10)), cache.Fresh())
					return err == nil
				})
				wantSeen(t, s.view(t, tbl), cache.Fresh(), at(from(0, 10)), numbered(0, 10)...)
			})
		})
	}
}

func TestC1_AfterClearAViewHasNothing(t *testing.T) {
	t.Parallel()
	throughEach(t, func(t *testing.T, tbl *items, s *sight) {
		c := newCache(t, tbl, newSource(numbered(0, 100)...))
		ok(t, c.Cover(t.Context(), "at", from(0, 10)))
		wantSeen(t, s.view(t, tbl), cache.Fresh(), at(from(0, 10)), numbered(0, 10)...)
		ok(t, tbl.Clear(t.Context()))
		wantUnseen(t, s.view(t, tbl), cache.AsIs(), at(from(0, 10)), cache.ErrNotCovered)
		ok(t, c.Cover(t.Context(), "at", from(0, 10)))
		wantSeen(t, s.view(t, tbl), cache.Fresh(), at(from(0, 10)), numbered(0, 10)...)
	})
}

func TestC1_ANoteOfSomebodyElseCoversNothing(t *testing.T) {
	t.Parallel()
	throughEach(t, func(t *testing.T, tbl *items, s *sight) {
		c := newCache(t, tbl, newSource(numbered(0, 100)...))
		ok(t, c.Cover(t.Context(), "at", from(0, 10)))
		wantSeen(t, s.view(t, tbl), cache.Fresh(), at(from(0, 10)), numbered(0, 10)...)
		for _, note := range []string{"", "offset 17", "\x01"} {
			ok(t, tbl.Apply(t.Context(), table.Batch[item, int64]{Note: []byte(note)}))
			wantUnseen(t, s.view(t, tbl), cache.AsIs(), at(from(0, 10)), cache.ErrNotCovered)
			if cov, _ := s.view(t, tbl).Coverage(t.Context()); len(cov.Spans) > 0 {
				t.Errorf("%q covers %v", note, cov)
			}
		}
		ok(t, c.Cover(t.Context(), "at", from(0, 10)))
		wantSeen(t, s.view(t, tbl), cache.Fresh(), at(from(0, 10)), numbered(0, 10)...)
	})
}

func TestC1_AViewTellsWhatIsCovered(t *testing.T) {
	t.Parallel()
	throughEach(t, func(t *testing.T, tbl *items, s *sight) {
		c := newCache(t, tbl, newSource(numbered(0, 100)...))
		ok(t, c.Cover(t.Context(), "at", from(0, 10), from(20, 30)))
		ok(t, c.Invalidate("at", from(25, 50)))
		untilStale(t, tbl, s, from(25, 30))
		v := s.view(t, tbl)
		cov, err := v.Coverage(t.Context())
		ok(t, err)
		wanted := c.Coverage()
		if cov.Index != "at" || len(cov.Spans) != 3 || len(wanted.Spans) != 3 {
			t.Fatalf("got %v, want %v", cov, wanted)
		}
		for i, got := range cov.Spans {
			if w := wanted.Spans[i]; got.Interval != w.Interval || got.Invalid != w.Invalid || !got.Loaded.Equal(w.Loaded) {
				t.Errorf("got %v, want %v", got, w)
			}
			cov.Spans[i].Interval, cov.Spans[i].Invalid = from(0, 100), false // the caller's own
		}
		wantSeen(t, v, cache.Fresh(), at(from(0, 10)), numbered(0, 10)...)
		wantUnseen(t, v, cache.Fresh(), at(from(25, 30)), table.ErrStale)
		wantUnseen(t, v, cache.Fresh(), at(from(10, 20)), cache.ErrNotCovered)
	})
}

// A view passes on what its handle has to say.
func TestAViewPassesOnErrors(t *testing.T) {
	t.Parallel()
	tbl := openTable(t)
	c := newCache(t, tbl, newSource(numbered(0, 100)...))
	ok(t, c.Cover(t.Context(), "at", from(0, 10)))
	r := openReader(t, tbl.Name())
	v := cache.NewView(r)
	wantSeen(t, v, cache.Fresh(), at(from(0, 10)).Where(func(i *item) bool { return i.ID > 5 }), numbered(6, 10)...)
	wantUnseen(t, v, cache.Fresh(), at(from(5, 3)), table.ErrInvalidSpec)
	wantUnseen(t, v, cache.Fresh(), at(from(0, 5)).Where(func(*item) bool { panic("no") }), table.ErrPanic)
	ok(t, r.Close())
	wantUnseen(t, v, cache.Fresh(), at(from(0, 5)), table.ErrClosed)
	_, err := v.Coverage(t.Context())
	wantErr(t, err, table.ErrClosed)
}
