package cache_test

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"math"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"github.com/tablecache-go/tablecache/cache"
	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

func TestMain(m *testing.M) {
	redis.SetLogger(&logging.VoidLogger{})
	os.Exit(redistest.Main(m))
}

// item is the record of all tests. Value tells versions of it apart.
type item struct {
	ID    int64
	At    float64
	Value int64
}

type (
	items    = table.Table[item, int64]
	caches   = cache.Cache[item, int64]
	interval = table.Interval
)

var everything = table.Everything()

func definition(name string) table.Definition[item, int64] {
	return table.Definition[item, int64]{
		Name:       name,
		PrimaryKey: table.Key(codec.Int64, func(i *item) int64 { return i.ID }),
		Attributes: []table.Attribute[item]{
			table.Field("id", codec.Int64, func(i *item) *int64 { return &i.ID }),
			table.Field("at", codec.Float64, func(i *item) *float64 { return &i.At }),
			table.Field("value", codec.Int64, func(i *item) *int64 { return &i.Value }),
		},
		Indexes: []table.Index[item]{
			table.By("at", func(i *item) float64 { return i.At }),
			table.By("value", func(i *item) float64 { return float64(i.Value) }),
		},
	}
}

// source is a source in memory.
type source struct {
	mu      sync.Mutex
	items   map[int64]item
	fetches int                                // of either kind
	asked   [][]interval                       // of Fetch, in order
	keys    [][]int64                          // of FetchKeys, in order
	wrong   func(yield func(item, error) bool) // yields in place of the source, if set
	before  func(context.Context) error        // is called before something is read, if set
	after   func(context.Context) error        // is called when it was read, before it is yielded, if set
}

var errSource = errors.New("the source is down")

func newSource(items ...item) *source {
	s := &source{items: make(map[int64]item)}
	s.put(items...)
	return s
}

// numbered returns items whose score and value are their number.
func numbered(from, to int64) (items []item) {
	for n := from; n < to; n++ {
		items = append(items, item{n, float64(n), n})
	}
	return items
}

func (s *source) set(change func(*source)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

func (s *source) put(items ...item) {
	s.set(func(s *source) {
		for _, i := range items {
			s.items[i.ID] = i
		}
	})
}

func (s *source) delete(id int64) { s.set(func(s *source) { delete(s.items, id) }) }

func (s *source) count() (n int) {
	s.set(func(s *source) { n = s.fetches })
	return n
}

func (s *source) fail(err error) {
	s.set(func(s *source) { s.before = func(context.Context) error { return err } })
}

func (s *source) heal() { s.set(func(s *source) { s.before, s.after, s.wrong = nil, nil, nil }) }

func score(index string, i item) float64 {
	if index == "value" {
		return float64(i.Value)
	}
	return i.At
}

func (s *source) Fetch(ctx context.Context, index string, in []interval) iter.Seq2[item, error] {
	s.set(func(s *source) { s.fetches++; s.asked = append(s.asked, slices.Clone(in)) })
	return s.read(ctx, func(i item) bool {
		return slices.ContainsFunc(in, func(in interval) bool { return in.Contains(score(index, i)) })
	})
}

func (s *source) FetchKeys(ctx context.Context, keys []int64) iter.Seq2[item, error] {
	s.set(func(s *source) { s.fetches++; s.keys = append(s.keys, slices.Clone(keys)) })
	return s.read(ctx, func(i item) bool { return slices.Contains(keys, i.ID) })
}

func (s *source) read(ctx context.Context, wanted func(item) bool) iter.Seq2[item, error] {
	return func(yield func(item, error) bool) {
		var before, after func(context.Context) error
		var wrong func(func(item, error) bool)
		s.set(func(s *source) { before, after, wrong = s.before, s.after, s.wrong })
		if wrong != nil {
			wrong(yield)
			return
		}
		if err := call(ctx, before); err != nil {
			yield(item{}, err)
			return
		}
		var found []item
		s.set(func(s *source) {
			for _, i := range s.items {
				if wanted(i) {
					found = append(found, i)
				}
			}
		})
		if err := call(ctx, after); err != nil {
			yield(item{}, err)
			return
		}
		for _, i := range found {
			if !yield(i, nil) {
				return
			}
		}
	}
}

func call(ctx context.Context, f func(context.Context) error) error {
	if f == nil {
		return nil
	}
	return f(ctx)
}

// clock is the time of a test.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func openTable(t testing.TB, opts ...table.Option) *items {
	t.Helper()
	tbl, err := table.Open(t.Context(), redistest.Shared(t).Client(t), definition(redistest.Prefix(t)), opts...)
	ok(t, err)
	t.Cleanup(func() { tbl.Close() })
	return tbl
}

func newCache(t testing.TB, tbl *items, src cache.Source[item], opts ...cache.Option) *caches {
	t.Helper()
	c, err := cache.New(t.Context(), tbl, src, opts...)
	ok(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

// covering returns a cache that covers intervals of the index "at".
func covering(t testing.TB, src cache.Source[item], in ...interval) *caches {
	t.Helper()
	c := newCache(t, openTable(t), src)
	ok(t, c.Cover(t.Context(), "at", in...))
	return c
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func from(ge, lt float64) interval { return interval{GE: ge, LT: lt} }

func at(in ...interval) table.Spec[item] { return table.Spec[item]{Index: "at", Intervals: in} }

// read returns what a cache has of some intervals, by score.
func read(t testing.TB, c *caches, f cache.Freshness, in ...interval) ([]item, error) {
	t.Helper()
	return table.Collect(c.Records(t.Context(), at(in...), f))
}

func want(t testing.TB, c *caches, f cache.Freshness, in interval, wanted ...item) {
	t.Helper()
	got, err := read(t, c, f, in)
	ok(t, err)
	if !slices.Equal(got, sorted(wanted)) {
		t.Errorf("got %v, want %v", got, wanted)
	}
}

func sorted(items []item) []item {
	items = slices.Clone(items)
	slices.SortFunc(items, func(a, b item) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.ID, b.ID)) })
	return items
}

func wantErr(t testing.TB, err error, wanted ...error) {
	t.Helper()
	for _, w := range wanted {
		if !errors.Is(err, w) {
			t.Errorf("got %v, want %v", err, w)
		}
	}
}

// async calls f in a goroutine of its own.
func async(t testing.TB, f func() error) <-chan error {
	t.Helper()
	done := make(chan error, 1)
	var running sync.WaitGroup
	running.Go(func() { done <- f() })
	t.Cleanup(running.Wait)
	return done
}

func receive[V any](t testing.TB, c <-chan V) (v V) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(10 * time.Second):
		t.Fatal("waited too long")
	}
	return v
}

// gate stops whoever passes it until it is opened.
type gate struct {
	reached chan struct{} // receives one for each that has come
	opened  chan struct{}
}

func newGate() *gate { return &gate{make(chan struct{}, 1000), make(chan struct{})} }

func (g *gate) pass(ctx context.Context) error {
	g.reached <- struct{}{}
	select {
	case <-g.opened:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

var inf = math.Inf(1)
