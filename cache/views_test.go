package cache_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tablecache-go/tablecache/cache"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/mirror"
	"github.com/tablecache-go/tablecache/table"
)

// covered is what reads what is covered: a cache, or a view.
type covered interface {
	Records(context.Context, table.Spec[item], cache.Freshness) iter.Seq2[item, error]
	First(context.Context, table.Spec[item], cache.Freshness) (item, error)
	Count(context.Context, table.Spec[item], cache.Freshness) (int, error)
}

var (
	_ covered = (*caches)(nil)
	_ covered = (*view)(nil)
)

type (
	view     = cache.View[item]
	notedOf  = table.NotedReading[item]
	position = table.Position
)

// kind is a kind of handle that a view can read through. What see returns shows a position, and whatever came with it.
type kind struct {
	name string
	open func(t testing.TB, name string) (see func(context.Context, position) (notedOf, error))
}

var kinds = []kind{
	{"reader", func(t testing.TB, name string) func(context.Context, position) (notedOf, error) {
		r := openReader(t, name)
		return func(ctx context.Context, p position) (notedOf, error) { return r, r.WaitFor(ctx, p) }
	}},
	{"mirror", func(t testing.TB, name string) func(context.Context, position) (notedOf, error) {
		m := openMirror(t, name)
		return func(ctx context.Context, p position) (notedOf, error) { return m, m.WaitFor(ctx, p) }
	}},
	{"snapshot", func(t testing.TB, name string) func(context.Context, position) (notedOf, error) {
		m := openMirror(t, name)
		return func(ctx context.Context, p position) (notedOf, error) {
			err := m.WaitFor(ctx, p)
			return m.Snapshot(), err
		}
	}},
}

func openReader(t testing.TB, name string, opts ...table.Option) *table.Reader[item, int64] {
	t.Helper()
	r, err := table.OpenReader(t.Context(), redistest.Shared(t).Client(t), definition(name), opts...)
	ok(t, err)
	t.Cleanup(func() { r.Close() })
	return r
}

func openMirror(t testing.TB, name string) *mirror.Mirror[item, int64] {
	t.Helper()
	m, err := mirror.Open(t.Context(), redistest.Shared(t).Client(t), definition(name))
	ok(t, err)
	t.Cleanup(func() { m.Close() })
	return m
}

// reopen opens a table once more, as another process would.
func reopen(t testing.TB, tbl *items) *items {
	t.Helper()
	again, err := table.Open(t.Context(), redistest.Shared(t).Client(t), definition(tbl.Name()))
	ok(t, err)
	t.Cleanup(func() { again.Close() })
	return again
}

// sight makes views through one handle of a table: the same view again as long as the handle is the same.
type sight struct {
	see  func(context.Context, position) (notedOf, error)
	opts []cache.Option
	of   notedOf
	last *view
}

// view returns one that shows all that the owner has done.
func (s *sight) view(t testing.TB, owner *items) *view {
	t.Helper()
	of, err := s.see(t.Context(), owner.Position())
	ok(t, err)
	if of != s.of {
		s.of, s.last = of, cache.NewView(of, s.opts...)
	}
	return s.last
}

// throughEach runs a test with views through each kind of handle.
func throughEach(t *testing.T, test func(t *testing.T, tbl *items, s *sight)) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			tbl := openTable(t)
			test(t, tbl, &sight{see: k.open(t, tbl.Name())})
		})
	}
}

// wantSeen checks all that a view says of a spec.
func wantSeen(t testing.TB, v covered, f cache.Freshness, s table.Spec[item], wanted ...item) {
	t.Helper()
	got, err := table.Collect(v.Records(t.Context(), s, f))
	ok(t, err)
	if !slices.Equal(got, wanted) {
		t.Errorf("got %v, want %v", got, wanted)
	}
	n, err := v.Count(t.Context(), s, f)
	ok(t, err)
	if n != len(wanted) {
		t.Errorf("counted %d, want %d", n, len(wanted))
	}
	first, err := v.First(t.Context(), s, f)
	switch {
	case len(wanted) == 0:
		wantErr(t, err, table.ErrNotFound)
	case err != nil || first != wanted[0]:
		t.Errorf("the first is %v, %v, want %v", first, err, wanted[0])
	}
}

// wantUnseen checks that a view refuses a spec, with this error and without any record.
func wantUnseen(t testing.TB, v covered, f cache.Freshness, s table.Spec[item], wanted error) {
	t.Helper()
	got, err := table.Collect(v.Records(t.Context(), s, f))
	wantErr(t, err, wanted)
	if len(got) > 0 {
		t.Errorf("got %v before %v", got, err)
	}
	_, err = v.Count(t.Context(), s, f)
	wantErr(t, err, wanted)
	_, err = v.First(t.Context(), s, f)
	wantErr(t, err, wanted)
}

// until waits for a condition that another goroutine brings about.
func until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	late := time.After(30 * time.Second)
	for !holds() {
		select {
		case <-time.After(time.Millisecond):
		case <-late:
			t.Fatalf("waited too long for %s", what)
		}
	}
}

// untilStale waits until a view was told that what it reads is invalid.
func untilStale(t testing.TB, tbl *items, s *sight, in ...interval) {
	t.Helper()
	until(t, "what is invalid to be told", func() bool {
		_, err := s.view(t, tbl).Count(t.Context(), at(in...), cache.Fresh())
		return errors.Is(err, table.ErrStale)
	})
}

// counting is a handle that counts the reads that it has refused because of the note.
type counting struct {
	notedOf
	changed *atomic.Int64
}

func (c counting) count(err error) {
	if errors.Is(err, table.ErrNoteChanged) {
		c.changed.Add(1)
	}
}

func (c counting) Records(ctx context.Context, s table.Spec[item]) iter.Seq2[item, error] {
	return func(yield func(item, error) bool) {
		for i, err := range c.notedOf.Records(ctx, s) {
			c.count(err)
			if !yield(i, err) {
				return
			}
		}
	}
}

func (c counting) First(ctx context.Context, s table.Spec[item]) (item, error) {
	i, err := c.notedOf.First(ctx, s)
	c.count(err)
	return i, err
}

func (c counting) Count(ctx context.Context, s table.Spec[item]) (int, error) {
	n, err := c.notedOf.Count(ctx, s)
	c.count(err)
	return n, err
}
