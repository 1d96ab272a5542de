package cache_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/cache"
	"github.com/tablecache-go/tablecache/internal/faulty"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

func TestC3_OnlyGapsAreFetched(t *testing.T) {
	t.Parallel()
	src := newSource(numbered(0, 100)...)
	c := covering(t, src, from(10, 20), from(30, 40))
	for _, step := range []struct {
		cover, asked []interval
		has          []item
	}{
		{[]interval{from(10, 20), from(30, 40)}, nil, slices.Concat(numbered(10, 20), numbered(30, 40))},
		{[]interval{from(15, 35)}, []interval{from(20, 30)}, numbered(15, 35)},
		{[]interval{from(0, 50)}, []interval{from(0, 15), from(35, 50)}, numbered(0, 50)},
		{[]interval{from(20, 22), from(22, 24)}, nil, numbered(20, 24)},
		{[]interval{from(0, 0), from(98, inf)}, []interval{from(98, inf)}, numbered(98, 100)},
		{nil, nil, nil},
		{[]interval{everything}, []interval{everything}, numbered(0, 100)},
	} {
		before := len(src.asked)
		ok(t, c.Cover(t.Context(), "at", step.cover...))
		asked := src.asked[before:]
		if len(asked) > 1 || !slices.Equal(slices.Concat(asked...), step.asked) {
			t.Errorf("covering %v: asked for %v, want %v", step.cover, asked, step.asked)
		}
		wantTable(t, c, step.cover, step.has...)
	}
}

// wantTable checks that a cache covers intervals, and that its table has these items and no others.
func wantTable(t testing.TB, c *caches, in []interval, wanted ...item) {
	t.Helper()
	got, err := read(t, c, cache.AsIs(), in...)
	ok(t, err)
	if !slices.Equal(sorted(got), sorted(wanted)) {
		t.Errorf("read %v, want %v", got, wanted)
	}
	wantRecords(t, c, len(wanted))
}

// wantRecords checks how many records the table has, covered or not.
func wantRecords(t testing.TB, c *caches, wanted int) {
	t.Helper()
	if n, err := cache.TableOf(c).Count(t.Context(), at(everything)); err != nil || n != wanted {
		t.Errorf("%d records (%v) are in the table, want %d", n, err, wanted)
	}
}

func TestCoverBySomeOtherIndexReplacesTheCoverage(t *testing.T) {
	t.Parallel()
	src := newSource(item{1, 10, 100}, item{2, 20, 200}, item{3, 30, 300})
	c := covering(t, src, from(0, 25))
	ok(t, c.Cover(t.Context(), "value", from(200, 400)))
	if got := c.Coverage(); got.Index != "value" || len(got.Spans) != 1 || got.Spans[0].Interval != from(200, 400) {
		t.Errorf("covered is %v", got)
	}
	got, err := table.Collect(c.Records(t.Context(), table.Spec[item]{Index: "value", Intervals: []interval{from(200, 400)}}, cache.Fresh()))
	if ok(t, err); !slices.Equal(got, []item{{2, 20, 200}, {3, 30, 300}}) {
		t.Errorf("got %v", got)
	}
	_, err = read(t, c, cache.AsIs(), from(0, 25))
	wantErr(t, err, cache.ErrNotCovered)
	ok(t, c.Invalidate("at", from(0, 1))) // who knows which scores by value these have
	if got := c.Coverage(); !got.Spans[0].Invalid || len(got.Spans) != 1 {
		t.Errorf("covered is %v", got)
	}
}

func TestWrongCallsAreRefused(t *testing.T) {
	t.Parallel()
	c := covering(t, newSource(numbered(0, 10)...), from(0, 10))
	nan := interval{GE: inf - inf, LT: 1}
	for what, call := range map[string]struct {
		err    error
		wanted error
	}{
		"cover by no index":         {c.Cover(t.Context(), "none", from(0, 1)), table.ErrUnknownIndex},
		"cover what overlaps":       {c.Cover(t.Context(), "at", from(0, 2), from(1, 3)), table.ErrInvalidSpec},
		"cover what is reversed":    {c.Cover(t.Context(), "at", from(2, 1)), table.ErrInvalidSpec},
		"cover NaN":                 {c.Cover(t.Context(), "at", nan), table.ErrInvalidSpec},
		"invalidate by no index":    {c.Invalidate("none"), table.ErrUnknownIndex},
		"invalidate NaN":            {c.Invalidate("at", nan), table.ErrInvalidSpec},
		"read by no index":          {second(table.Collect(c.Records(t.Context(), table.Spec[item]{Index: "none"}, cache.Fresh()))), table.ErrUnknownIndex},
		"read what is reversed":     {second(read(t, c, cache.Fresh(), from(2, 1))), table.ErrInvalidSpec},
		"read on a condition":       {second(table.Collect(c.Records(t.Context(), at(from(0, 1)).IfNote(table.NoteVersion{Number: 1}), cache.Fresh()))), table.ErrInvalidSpec},
		"read a negative number of": {second(c.First(t.Context(), at(from(0, 1)).Max(-1), cache.Fresh())), table.ErrInvalidSpec},
	} {
		if !errors.Is(call.err, call.wanted) {
			t.Errorf("%s: got %v, want %v", what, call.err, call.wanted)
		}
	}
	want(t, c, cache.Fresh(), from(0, 10), numbered(0, 10)...)
}

func second[V any](_ V, err error) error { return err }

// A call that is joined by others goes on when the first of them leaves.
func TestC3_EqualCallsAreOneAndOutliveTheFirst(t *testing.T) {
	t.Parallel()
	src, g := newSource(numbered(0, 100)...), newGate()
	c := newCache(t, openTable(t), src)
	src.set(func(s *source) { s.before = g.pass })
	first, leave := context.WithCancel(t.Context())
	gone := async(t, func() error { return c.Cover(first, "at", from(0, 50)) })
	receive(t, g.reached)
	var others []<-chan error
	for range 20 {
		others = append(others, async(t, func() error { return c.Cover(t.Context(), "at", from(0, 50)) }))
	}
	until(t, "all to wait", func() bool { return c.Waiting() == 21 })
	leave()
	wantErr(t, receive(t, gone), context.Canceled)
	close(g.opened)
	for _, other := range others {
		ok(t, receive(t, other))
	}
	if n := src.count(); n != 1 {
		t.Errorf("%d fetches", n)
	}
	want(t, c, cache.Fresh(), from(0, 50), numbered(0, 50)...)
}

// When all have left, the source is told, and nothing has changed.
func TestACallForWhichNobodyWaitsEnds(t *testing.T) {
	t.Parallel()
	src, g := newSource(numbered(0, 100)...), newGate()
	c := covering(t, src, from(0, 10))
	ended := make(chan error, 1)
	src.set(func(s *source) {
		s.before = func(ctx context.Context) error { err := g.pass(ctx); ended <- err; return err }
	})
	ctx, leave := context.WithCancel(t.Context())
	gone := async(t, func() error { return c.Cover(ctx, "at", from(0, 50)) })
	receive(t, g.reached)
	leave()
	wantErr(t, receive(t, gone), context.Canceled)
	wantErr(t, receive(t, ended), context.Canceled)
	want(t, c, cache.Fresh(), from(0, 10), numbered(0, 10)...)
}

// U33: two adjustments at once leave what one of them wants, and no orphans.
func TestU33_AdjustmentsAtOnceComeOneAfterAnother(t *testing.T) {
	t.Parallel()
	src := newSource(numbered(0, 200)...)
	c := covering(t, src, from(0, 50))
	for round := range 20 {
		var all []<-chan error
		for k := range 4 {
			ge := float64((round*37 + k*31) % 150)
			all = append(all, async(t, func() error { return c.Cover(t.Context(), "at", from(ge, ge+50)) }))
		}
		for _, one := range all {
			ok(t, receive(t, one))
		}
		covered := c.Coverage()
		ge, lt := covered.Spans[0].GE, covered.Spans[len(covered.Spans)-1].LT
		want(t, c, cache.Fresh(), from(ge, lt), numbered(int64(ge), int64(lt))...)
	}
	wantRecords(t, c, 50)
}

// U35: a source that fails in the middle changes nothing, and nothing of what it has brought is published later.
func TestU35_HalfAFetchIsNeverPublished(t *testing.T) {
	t.Parallel()
	src := newSource(numbered(0, 100)...)
	c := covering(t, src, from(0, 50))
	halves := map[string]func(yield func(item, error) bool){
		"an error": func(yield func(item, error) bool) {
			for _, i := range numbered(50, 75) {
				yield(i, nil)
			}
			yield(item{}, errSource)
		},
		"a panic": func(yield func(item, error) bool) {
			yield(item{50, 50, 50}, nil)
			panic("the source")
		},
		"a record twice": func(yield func(item, error) bool) {
			if yield(item{50, 50, 50}, nil) {
				yield(item{50, 51, 50}, nil)
			}
		},
		"a record from outside": func(yield func(item, error) bool) { yield(item{5, 5, 5}, nil) },
	}
	for what, half := range halves {
		src.set(func(s *source) { s.wrong = half })
		err := c.Cover(t.Context(), "at", from(0, 100))
		wantErr(t, err, cache.ErrSource)
		if what == "an error" {
			wantErr(t, err, errSource)
		}
		if what == "a panic" {
			wantErr(t, err, table.ErrPanic)
		}
		wantErr(t, c.Stats().LastError, cache.ErrSource)
		src.heal()
		wantErr(t, second(read(t, c, cache.AsIs(), from(0, 100))), cache.ErrNotCovered)
		ok(t, c.Reload(t.Context())) // the next merge
		want(t, c, cache.Fresh(), from(0, 50), numbered(0, 50)...)
		wantRecords(t, c, 50)
	}
}

// A source that ends with its context, without saying so, has not told everything.
func TestASourceThatEndsSilentlyWithItsContextHasFailed(t *testing.T) {
	t.Parallel()
	src := newSource(numbered(0, 100)...)
	c := newCache(t, openTable(t), src)
	ctx, leave := context.WithCancel(t.Context())
	src.set(func(s *source) {
		s.before = func(ctx context.Context) error { leave(); <-ctx.Done(); return nil }
	})
	wantErr(t, c.Cover(ctx, "at", from(0, 100)), context.Canceled)
	src.heal()
	ok(t, c.Cover(t.Context(), "at", from(0, 100)))
	want(t, c, cache.Fresh(), from(0, 100), numbered(0, 100)...)
}

// U38: a first load that fails is told, and reads say at once that nothing is covered.
func TestU38_AFailedFirstLoadLeavesNobodyWaiting(t *testing.T) {
	t.Parallel()
	src := newSource(numbered(0, 10)...)
	c := newCache(t, openTable(t), src)
	src.fail(errSource)
	wantErr(t, c.Cover(t.Context(), "at", from(0, 10)), cache.ErrSource, errSource)
	for _, f := range []cache.Freshness{cache.Fresh(), cache.MaxStale(time.Hour), cache.AsIs()} {
		wantErr(t, second(read(t, c, f, from(0, 10))), cache.ErrNotCovered)
		wantErr(t, second(c.Get(t.Context(), 1, f)), cache.ErrNotCovered)
		wantErr(t, second(c.Count(t.Context(), at(from(0, 10)), f)), cache.ErrNotCovered)
		wantErr(t, second(c.First(t.Context(), at(from(0, 10)), f)), cache.ErrNotCovered)
	}
	src.heal()
	ok(t, c.Cover(t.Context(), "at", from(0, 10)))
	want(t, c, cache.Fresh(), from(0, 10), numbered(0, 10)...)
}

// C2: the context of a Cover ends at each of the commands that it sends, before it has reached Redis and after: the coverage and the
// records still go together, and nothing else is left.
func TestC2_ACoverThatEndsAnywhereHasChangedAllOrNothing(t *testing.T) {
	t.Parallel()
	srv := redistest.Shared(t)
	proxy := faulty.NewProxy(t, srv.Socket())
	tbl, err := table.Open(t.Context(), through(t, proxy), definition(redistest.Prefix(t)), table.WithLease(time.Hour))
	ok(t, err)
	t.Cleanup(func() { tbl.Close() })
	src := newSource(numbered(0, 100)...)
	c := newCache(t, tbl, src)
	windows := []interval{from(0, 40), from(20, 60)}
	ok(t, c.Cover(t.Context(), "at", windows[0]))
	at, merged, not := windows[0], 0, 0
	for side := faulty.Before; side <= faulty.After; side++ {
		for n, hit := 0, true; hit; n++ {
			to := windows[0]
			if at == to {
				to = windows[1]
			}
			hit = endsAt(t, proxy, n, side, func(ctx context.Context) error { return c.Cover(ctx, "at", to) })
			if at = wantWindow(t, c, fmt.Sprint(side, " command ", n), windows); at == to {
				merged++
			} else {
				not++
			}
		}
	}
	if merged == 0 || not == 0 {
		t.Errorf("merged %d times, not merged %d times", merged, not)
	}
}

func through(t testing.TB, proxy *faulty.Proxy) *redis.Client {
	rdb := redis.NewClient(&redis.Options{Addr: proxy.Addr()})
	t.Cleanup(func() { rdb.Close() })
	return rdb
}

// endsAt ends the context of a call at its command n, which is held up until the call has returned. It returns whether there was one.
func endsAt(t testing.TB, proxy *faulty.Proxy, n int, side faulty.Side, call func(context.Context) error) bool {
	ctx, end := context.WithCancel(t.Context())
	defer end()
	return endsAtBy(t, proxy, n, side, end, func(context.Context) error { return call(ctx) })
}

// endsAtBy is endsAt for what end ends.
func endsAtBy(t testing.TB, proxy *faulty.Proxy, n int, side faulty.Side, end func(), call func(context.Context) error) (reached bool) {
	first, returned := proxy.Commands(), make(chan struct{})
	hit := make(chan struct{})
	proxy.Set(func(p faulty.Point) faulty.Act {
		if p.N == first+n && p.Side == side {
			close(hit)
			<-returned
		}
		return faulty.Act{}
	})
	done := async(t, func() error { return call(t.Context()) })
	select {
	case <-hit:
		reached = true
		end()
		<-done
	case err := <-done:
		ok(t, err)
	}
	close(returned)
	proxy.Pass()
	return reached
}

// wantWindow checks that one of some windows is covered, with all that belongs there, and returns which.
func wantWindow(t testing.TB, c *caches, when string, windows []interval) interval {
	t.Helper()
	for _, w := range slices.Repeat(windows, 2) { // what is under way may be merged between two reads
		got, err := read(t, c, cache.AsIs(), w)
		if errors.Is(err, cache.ErrNotCovered) {
			continue
		}
		ok(t, err)
		if !slices.Equal(got, numbered(int64(w.GE), int64(w.LT))) {
			t.Errorf("%s: %v has %v", when, w, got)
		}
		wantRecords(t, c, len(got))
		return w
	}
	t.Errorf("%s: no window is covered: %v", when, c.Coverage())
	return interval{}
}
