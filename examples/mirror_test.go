package examples_test

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/mirror"
	"github.com/tablecache-go/tablecache/table"
)

// openInMemory returns the cities in the memory of this process. They follow the table by themselves until Close.
func openInMemory(ctx context.Context, rdb redis.UniversalClient) (*mirror.Mirror[City, int64], error) {
	return mirror.Open(ctx, rdb, definition, mirror.WithMaxAge(10*time.Second)) // older than that: table.ErrStale
}

// towns does not know what it reads: a Table, a Reader, a Mirror, or a Snapshot of one.
func towns(ctx context.Context, cities table.Reading[City]) ([]City, error) {
	return table.Collect(cities.Records(ctx, cities.Range("people", 1e6, 1e9).Reversed().Max(10)))
}

// A handler reads a table or a mirror alike; a mirror shows what the table has acknowledged after WaitFor.
func Example_mirror() {
	ctx := context.Background()
	rdb, stop := embedded(ctx)
	defer stop()
	cities, err := table.Open(ctx, rdb, definition)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer cities.Close()
	m, err := openInMemory(ctx, rdb)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	err = cities.Put(ctx, City{1, "Oslo", 717_000}, City{2, "Lima", 10_092_000}, City{3, "Rome", 2_749_000})
	if err == nil {
		err = m.WaitFor(ctx, cities.Position())
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, from := range []table.Reading[City]{cities, m, m.Snapshot()} {
		fmt.Println(towns(ctx, from))
	}
	// Output:
	// [{2 Lima 10092000} {3 Rome 2749000}] <nil>
	// [{2 Lima 10092000} {3 Rome 2749000}] <nil>
	// [{2 Lima 10092000} {3 Rome 2749000}] <nil>
}
