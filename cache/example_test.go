package cache_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/cache"
	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/table"
)

// City is the record of the examples.
type City struct {
	ID     int64
	Name   string
	People int64
}

func cityTable() table.Definition[City, int64] {
	return table.Definition[City, int64]{
		Name:       "cities",
		PrimaryKey: table.Key(codec.Int64, func(c *City) int64 { return c.ID }),
		Attributes: []table.Attribute[City]{
			table.Field("id", codec.Int64, func(c *City) *int64 { return &c.ID }),
			table.Field("name", codec.String, func(c *City) *string { return &c.Name }),
			table.Field("people", codec.Int64, func(c *City) *int64 { return &c.People }),
		},
		Indexes: []table.Index[City]{table.By("people", func(c *City) float64 { return float64(c.People) })},
	}
}

// register is a source in memory. Yours would be a database.
type register struct {
	mu     sync.Mutex // guards what follows
	cities []City
	away   error
}

func (r *register) Fetch(_ context.Context, _ string, in []table.Interval) iter.Seq2[City, error] {
	return r.all(func(c City) bool {
		return slices.ContainsFunc(in, func(i table.Interval) bool { return i.Contains(float64(c.People)) })
	})
}

func (r *register) FetchKeys(_ context.Context, keys []int64) iter.Seq2[City, error] {
	return r.all(func(c City) bool { return slices.Contains(keys, c.ID) })
}

func (r *register) all(wanted func(City) bool) iter.Seq2[City, error] {
	return func(yield func(City, error) bool) {
		r.mu.Lock()
		cities, away := slices.Clone(r.cities), r.away
		r.mu.Unlock()
		if away != nil {
			yield(City{}, away)
			return
		}
		for _, c := range cities {
			if wanted(c) && !yield(c, nil) {
				return
			}
		}
	}
}

// count says how many people a city has.
func (r *register) count(id, people int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.cities {
		if r.cities[i].ID == id {
			r.cities[i].People = people
		}
	}
}

func (r *register) goAway(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.away = err
}

var (
	ctx    = context.Background()
	people = table.Interval{GE: 1e6, LT: 1e9}
	large  = table.Spec[City]{Index: "people", Intervals: []table.Interval{people}}
)

// openCities returns a cache that covers the cities of more than a million.
func openCities(opts ...cache.Option) (c *cache.Cache[City, int64], r *register, rdb *redis.Client, closed func()) {
	server, err := miniredis.Run()
	if err != nil {
		panic(err)
	}
	rdb = redis.NewClient(&redis.Options{Addr: server.Addr()})
	cities, err := table.Open(ctx, rdb, cityTable())
	if err != nil {
		panic(err)
	}
	r = &register{cities: []City{{1, "Oslo", 717_000}, {2, "Lima", 10_092_000}, {3, "Rome", 2_749_000}}}
	if c, err = cache.New(ctx, cities, r, opts...); err == nil {
		err = c.Cover(ctx, "people", people)
	}
	if err != nil {
		panic(err)
	}
	return c, r, rdb, func() {
		_ = c.Close() // never an error
		_ = cities.Close()
		_ = rdb.Close()
		server.Close()
	}
}

// What has changed in the source is fetched anew by the next read that must be fresh, and only if it is told.
func Example() {
	c, r, _, closed := openCities()
	defer closed()
	show := func(f cache.Freshness) {
		fmt.Println(table.Collect(c.Records(ctx, large, f)))
	}
	show(cache.Fresh())
	r.count(1, 1_100_000)
	show(cache.Fresh()) // nobody has told
	_ = c.InvalidateKeys(1)
	show(cache.AsIs())
	show(cache.Fresh())
	// Output:
	// [{3 Rome 2749000} {2 Lima 10092000}] <nil>
	// [{3 Rome 2749000} {2 Lima 10092000}] <nil>
	// [{3 Rome 2749000} {2 Lima 10092000}] <nil>
	// [{1 Oslo 1100000} {3 Rome 2749000} {2 Lima 10092000}] <nil>
}

// The window moves: what is missing is fetched, what is outside goes, at one moment.
func ExampleCache_Cover() {
	c, _, _, closed := openCities()
	defer closed()
	fmt.Println(c.Cover(ctx, "people", table.Interval{GE: 5e5, LT: 5e6}))
	n, err := c.Count(ctx, table.Spec[City]{Index: "people", Intervals: []table.Interval{{GE: 5e5, LT: 5e6}}}, cache.Fresh())
	fmt.Println(n, err)
	_, err = c.Count(ctx, large, cache.AsIs())
	fmt.Println(errors.Is(err, cache.ErrNotCovered))
	// Output:
	// <nil>
	// 2 <nil>
	// true
}

// A record that has moved is missed where it is, and shown where it was, until both are fetched anew.
func ExampleCache_Invalidate() {
	c, r, _, closed := openCities()
	defer closed()
	r.count(3, 3_000_100)
	_ = c.Invalidate("people", table.Only(2_749_000), table.Only(3_000_100)) // where it was, and where it is
	for _, span := range c.Coverage().Spans {
		if span.Invalid {
			fmt.Println("invalid:", span.Interval.Contains(2_749_000), span.Interval.Contains(3_000_100))
		}
	}
	fmt.Println(c.Refresh(ctx))
	fmt.Println(table.Collect(c.Records(ctx, large, cache.AsIs())))
	// Output:
	// invalid: true false
	// invalid: false true
	// <nil>
	// [{3 Rome 3000100} {2 Lima 10092000}] <nil>
}

// While the source is away, what is invalid can be read by those who say how old it may be.
func ExampleMaxStale() {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	c, r, _, closed := openCities(cache.WithClock(func() time.Time { return now }))
	defer closed()
	_ = c.Invalidate("people")
	r.goAway(errors.New("the database is away"))
	now = now.Add(time.Minute)
	for _, f := range []cache.Freshness{cache.Fresh(), cache.MaxStale(30 * time.Second), cache.MaxStale(2 * time.Minute), cache.AsIs()} {
		n, err := c.Count(ctx, large, f)
		fmt.Println(n, errors.Is(err, cache.ErrSource))
	}
	// Output:
	// 0 true
	// 0 true
	// 2 false
	// 2 false
}

// A merge that would take away more than half of the records is not made.
func ExampleWithCheck() {
	errFew := errors.New("too few cities")
	c, r, _, closed := openCities(cache.WithCheck(func(_ context.Context, d cache.Diff) error {
		if d.After < d.Before/2 {
			return errFew
		}
		return nil
	}))
	defer closed()
	r.count(2, 0)
	r.count(3, 0)
	err := c.Reload(ctx)
	fmt.Println(errors.Is(err, cache.ErrRefused), errors.Is(err, errFew))
	fmt.Println(c.Count(ctx, large, cache.Fresh())) // they were not invalidated
	// Output:
	// true true
	// 2 <nil>
}

// What is not covered comes from the source, and is not kept.
func ExampleWithReadThrough() {
	c, _, _, closed := openCities(cache.WithReadThrough())
	defer closed()
	all := table.Spec[City]{Index: "people", Intervals: []table.Interval{table.Everything()}}
	fmt.Println(table.Collect(c.Records(ctx, all.Max(1), cache.Fresh())))
	fmt.Println(len(c.Coverage().Spans))
	// Output:
	// [{1 Oslo 717000}] <nil>
	// 1
}

// Another process reads what the cache covers, without the source.
func ExampleNewView() {
	c, _, rdb, closed := openCities()
	defer closed()
	cities, err := table.OpenReader(ctx, rdb, cityTable())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer cities.Close()
	v := cache.NewView(cities)
	fmt.Println(table.Collect(v.Records(ctx, large, cache.Fresh())))
	_, err = v.Count(ctx, table.Spec[City]{Index: "people", Intervals: []table.Interval{table.Everything()}}, cache.AsIs())
	fmt.Println(errors.Is(err, cache.ErrNotCovered))

	_ = c.Invalidate("people", table.Only(2_749_000))
	for !errors.Is(err, table.ErrStale) { // the view learns of it soon
		_, err = v.First(ctx, large, cache.Fresh())
	}
	fmt.Println(v.Count(ctx, large, cache.MaxStale(time.Hour)))
	// Output:
	// [{3 Rome 2749000} {2 Lima 10092000}] <nil>
	// true
	// 2 <nil>
}
