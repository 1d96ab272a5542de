package cache_test

import (
	"slices"
	"testing"

	"github.com/tablecache-go/tablecache/cache"
	"github.com/tablecache-go/tablecache/table"
)

// C6: what comes from the source is what the table would say, whatever the order, the limit and the predicate; and it is not stored.
func TestC6_ReadThroughAnswersAsTheTableWould(t *testing.T) {
	t.Parallel()
	src := newSource(append(numbered(0, 50), item{100, 7, 1}, item{101, 7, 2}, item{102, inf, 3}, item{103, -inf, 4})...)
	c := newCache(t, openTable(t), src, cache.WithReadThrough())
	whole := covering(t, src, everything)
	odd := func(i *item) bool { return i.ID%2 == 1 }
	for _, s := range []table.Spec[item]{
		at(from(0, 20)), at(from(0, 20)).Reversed(), at(from(0, 20)).Max(3), at(from(0, 20)).Reversed().Max(3), at(from(0, 20)).Where(odd),
		at(from(30, 40), from(5, 10)), at(from(30, 40), from(5, 10)).Reversed().Where(odd).Max(7), at(everything), at(table.Only(7)).Reversed(),
		at(table.Only(inf)), at(), at(from(3, 3)), {Index: "value", Intervals: []interval{from(0, 30)}},
	} {
		wanted, err := table.Collect(whole.Records(t.Context(), s, cache.Fresh()))
		ok(t, err)
		for _, f := range []cache.Freshness{cache.Fresh(), cache.AsIs()} {
			if got, err := table.Collect(c.Records(t.Context(), s, f)); err != nil || !slices.Equal(got, wanted) {
				t.Errorf("%v: got %v (%v), want %v", s, got, err, wanted)
			}
			if n, err := c.Count(t.Context(), s, f); err != nil || n != len(wanted) {
				t.Errorf("%v: %d records (%v), want %d", s, n, err, len(wanted))
			}
			first, err := c.First(t.Context(), s, f)
			if len(wanted) == 0 {
				wantErr(t, err, table.ErrNotFound)
			} else if err != nil || first != wanted[0] {
				t.Errorf("%v: first is %v (%v), want %v", s, first, err, wanted[0])
			}
		}
	}
	wantRecords(t, c, 0)
	got, err := c.Get(t.Context(), 7, cache.Fresh())
	if ok(t, err); got != (item{7, 7, 7}) {
		t.Errorf("got %v", got)
	}
	wantErr(t, second(c.Get(t.Context(), 1000, cache.Fresh())), table.ErrNotFound)
}

// What is covered in part is read wholly from the source.
func TestC6_NoAnswerIsMixed(t *testing.T) {
	t.Parallel()
	src := newSource(numbered(0, 50)...)
	c := newCache(t, openTable(t), src, cache.WithReadThrough())
	ok(t, c.Cover(t.Context(), "at", from(0, 20)))
	src.put(item{5, 5, 55}) // which nobody tells the cache
	want(t, c, cache.Fresh(), from(0, 10), numbered(0, 10)...)
	for _, f := range []cache.Freshness{cache.Fresh(), cache.AsIs()} {
		got, err := read(t, c, f, from(0, 30))
		if ok(t, err); len(got) != 30 || got[5].Value != 55 {
			t.Errorf("got %v", got)
		}
	}
	src.fail(errSource)
	wantErr(t, second(read(t, c, cache.AsIs(), from(0, 30))), cache.ErrSource, errSource)
	wantErr(t, second(c.Get(t.Context(), 40, cache.AsIs())), cache.ErrSource, errSource)
}

// U36: who reads the same from the source at the same time shares one fetch.
func TestU36_EqualReadsThroughAreOneFetch(t *testing.T) {
	t.Parallel()
	src, g := newSource(numbered(0, 50)...), newGate()
	c := newCache(t, openTable(t), src, cache.WithReadThrough())
	for what, read := range map[string]func() error{
		"records": func() error { return second(read(t, c, cache.Fresh(), from(0, 10))) },
		"a key":   func() error { return second(c.Get(t.Context(), 7, cache.Fresh())) },
	} {
		src.set(func(s *source) { s.before = g.pass })
		before := src.count()
		var reads []<-chan error
		for range 100 {
			reads = append(reads, async(t, read))
		}
		until(t, "all to wait", func() bool { return c.Waiting() == 100 })
		src.heal()
		close(g.opened)
		for _, one := range reads {
			ok(t, receive(t, one))
		}
		if n := src.count() - before; n != 1 {
			t.Errorf("%s: %d fetches", what, n)
		}
		g = newGate()
	}
}

func TestC6_AnotherIndexNeedsEverything(t *testing.T) {
	t.Parallel()
	src := newSource(numbered(0, 50)...)
	c := covering(t, src, from(0, 50))
	byValue := table.Spec[item]{Index: "value", Intervals: []interval{from(10, 20)}}
	wantErr(t, second(table.Collect(c.Records(t.Context(), byValue, cache.AsIs()))), cache.ErrNotCovered)
	wantErr(t, second(c.Get(t.Context(), 99, cache.AsIs())), cache.ErrNotCovered)
	ok(t, c.Cover(t.Context(), "at", from(-inf, 50), from(50, inf)))
	got, err := table.Collect(c.Records(t.Context(), byValue, cache.Fresh()))
	if ok(t, err); !slices.Equal(got, numbered(10, 20)) {
		t.Errorf("got %v", got)
	}
	wantErr(t, second(c.Get(t.Context(), 99, cache.Fresh())), table.ErrNotFound)
	src.put(item{99, 30, 15})
	ok(t, c.Invalidate("at", table.Only(30))) // all of it may have any value
	got, err = table.Collect(c.Records(t.Context(), byValue, cache.Fresh()))
	if ok(t, err); len(got) != 11 {
		t.Errorf("got %v", got)
	}
	src.put(item{98, 31, 98})
	ok(t, c.Invalidate("at", table.Only(31)))
	_, err = c.Get(t.Context(), 98, cache.Fresh()) // it is not there, but may be by now
	ok(t, err)
}
