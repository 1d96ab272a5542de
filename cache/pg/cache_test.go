package pg

import (
	"errors"
	"testing"
	"time"

	"github.com/tablecache-go/tablecache/cache"
	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// C8, all of it: what changes in PostgreSQL is what a fresh read of the cache shows, and a successor knows what has changed before it.
func TestACacheFollowsTheDatabase(t *testing.T) {
	t.Parallel()
	pool := recorded(t, 100)
	rdb := redistest.Start(t, redistest.Options{}).Client(t)
	source := Keyed[int64](newSource(pool, byPrice), "SELECT id, price FROM flights WHERE id = ANY($1)")
	open := func() (*table.Table[flight, int64], *cache.Cache[flight, int64]) {
		flights, err := table.Open(t.Context(), rdb, table.Definition[flight, int64]{
			Name:       "flights",
			PrimaryKey: table.Key(codec.Int64, func(f *flight) int64 { return f.ID }),
			Attributes: []table.Attribute[flight]{
				table.Field("id", codec.Int64, func(f *flight) *int64 { return &f.ID }),
				table.Field("price", codec.Float64, func(f *flight) *float64 { return &f.Price }),
			},
			Indexes: []table.Index[flight]{table.By("price", func(f *flight) float64 { return f.Price })},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { flights.Close() })
		c, err := cache.New(t.Context(), flights, source)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return flights, c
	}
	flights, c := open()
	l := listen(t, pool, c, WithPoll(never))
	if err := c.Cover(t.Context(), "price", table.Interval{GE: 1, LT: 50}); err != nil {
		t.Fatal(err)
	}
	became := func(c *cache.Cache[flight, int64], id int64, want float64) {
		t.Helper()
		began := time.Now()
		until(t, "shown", func() bool {
			f, err := c.Get(t.Context(), id, cache.Fresh())
			return err == nil && f.Price == want
		})
		t.Logf("shown after %v", time.Since(began))
	}
	exec(t, pool, "UPDATE flights SET price = 7.5 WHERE id = 3")
	became(c, 3, 7.5)
	exec(t, pool, "UPDATE flights SET price = 8.5 WHERE id = 99") // it moves into what is covered
	became(c, 99, 8.5)
	wantNoneLeft(t, pool)
	c.Close()
	if err := l.returns(t); !errors.Is(err, table.ErrClosed) {
		t.Errorf("Listen returned %v", err)
	}
	flights.Close()
	exec(t, pool, "UPDATE flights SET price = 9.5 WHERE id = 4") // nobody listens
	_, c = open()
	listen(t, pool, c, WithPoll(never))
	became(c, 4, 9.5)
	wantNoneLeft(t, pool)
	if got, err := table.Collect(c.Records(t.Context(), table.Spec[flight]{Index: "price", Intervals: []table.Interval{{GE: 1, LT: 50}}}, cache.Fresh())); err != nil || len(got) != 50 {
		t.Errorf("%d records, %v", len(got), err)
	}
}
