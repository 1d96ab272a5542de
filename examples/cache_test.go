package examples_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/tablecache-go/tablecache/cache"
	"github.com/tablecache-go/tablecache/table"
)

// registry is a cache.Source: it fetches cities by intervals of scores, each once, as they are now. One statement is of one moment.
type registry struct{ db *sql.DB }

func (r registry) Fetch(ctx context.Context, _ string, in []table.Interval) iter.Seq2[City, error] {
	where, args := "1 = 0", []any(nil)
	for _, i := range in {
		where, args = where+" OR people >= ? AND people < ?", append(args, i.GE, i.LT)
	}
	return r.cities(ctx, where, args)
}

// FetchKeys makes it a cache.KeySource, too.
func (r registry) FetchKeys(ctx context.Context, ids []int64) iter.Seq2[City, error] {
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	return r.cities(ctx, "id IN (?"+strings.Repeat(", ?", len(ids)-1)+")", args)
}

func (r registry) cities(ctx context.Context, where string, args []any) iter.Seq2[City, error] {
	return func(yield func(City, error) bool) {
		rows, err := r.db.QueryContext(ctx, "SELECT id, name, people FROM cities WHERE "+where, args...)
		if err != nil {
			yield(City{}, err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			var c City
			if err := rows.Scan(&c.ID, &c.Name, &c.People); !yield(c, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil { // what is cut off must not look whole
			yield(City{}, err)
		}
	}
}

// cover keeps the cities of more than a million in the table.
func cover(ctx context.Context, cities *table.Table[City, int64], db *sql.DB) (*cache.Cache[City, int64], error) {
	c, err := cache.New(ctx, cities, registry{db},
		cache.WithFetchTimeout(5*time.Second), // a database that hangs is away, too
		cache.WithReloadEvery(time.Hour))      // in case an invalidation was forgotten
	if err != nil {
		return nil, err
	}
	if err := c.Cover(ctx, "people", table.Interval{GE: 1e6, LT: 1e9}); err != nil { // another window later fetches what is missing
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// count writes to the database, and then tells the cache.
func count(ctx context.Context, db *sql.DB, c *cache.Cache[City, int64], id int64, people int32) error {
	if _, err := db.ExecContext(ctx, "UPDATE cities SET people = ? WHERE id = ?", people, id); err != nil {
		return err
	}
	return c.InvalidateKeys(id) // after the commit, never before. By scores: c.Invalidate("people", where it was, where it is)
}

// between returns what was not invalidated before the call, fetched anew if need be; or else what is ten minutes old at most.
func between(ctx context.Context, c *cache.Cache[City, int64], few, many float64) ([]City, error) {
	s := table.Spec[City]{Index: "people", Intervals: []table.Interval{{GE: few, LT: many}}}
	cities, err := table.Collect(c.Records(ctx, s, cache.Fresh()))
	if errors.Is(err, cache.ErrSource) { // the database is away
		return table.Collect(c.Records(ctx, s, cache.MaxStale(10*time.Minute)))
	}
	return cities, err
}

// elsewhere reads the same in another process. What is not covered there is cache.ErrNotCovered, what is too old table.ErrStale.
func elsewhere(ctx context.Context, v *cache.View[City]) ([]City, error) { // cache.NewView of a mirror, or of a table.Reader
	s := table.Spec[City]{Index: "people", Intervals: []table.Interval{{GE: 2e6, LT: 4e6}}}
	return table.Collect(v.Records(ctx, s, cache.MaxStale(time.Minute)))
}

// Two cities are in the window. A third comes into it.
func Example_cache() {
	ctx := context.Background()
	rdb, stop := embedded(ctx)
	defer stop()
	cities, err := table.Open(ctx, rdb, definition)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer cities.Close()
	database := newCityDatabase(City{1, "Oslo", 717_000}, City{2, "Lima", 10_092_000}, City{3, "Rome", 2_749_000})
	db := sql.OpenDB(database)
	defer db.Close()
	c, err := cover(ctx, cities, db)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	fmt.Println(between(ctx, c, 1e6, 1e9))
	fmt.Println(count(ctx, db, c, 1, 1_000_100))
	fmt.Println(between(ctx, c, 1e6, 1e9))
	_, err = between(ctx, c, 0, 1e9)
	fmt.Println(errors.Is(err, cache.ErrNotCovered))

	database.fail(errors.New("the database is away"))
	fmt.Println(c.Invalidate("people"))
	fmt.Println(between(ctx, c, 1e6, 2e6))

	m, err := openInMemory(ctx, rdb)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	fmt.Println(elsewhere(ctx, cache.NewView(m)))
	// Output:
	// [{3 Rome 2749000} {2 Lima 10092000}] <nil>
	// <nil>
	// [{1 Oslo 1000100} {3 Rome 2749000} {2 Lima 10092000}] <nil>
	// true
	// <nil>
	// [{1 Oslo 1000100}] <nil>
	// [{3 Rome 2749000}] <nil>
}
