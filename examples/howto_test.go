package examples_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/examples/internal/connect"
	"github.com/tablecache-go/tablecache/table"
)

// embedded returns a client of a Redis in this process.
func embedded(ctx context.Context) (rdb *redis.Client, stop func()) {
	server, err := connect.To(ctx, "")
	if err != nil {
		panic(err)
	}
	return server.Client, server.Close
}

func Example() {
	ctx := context.Background()
	rdb, stop := embedded(ctx)
	defer stop()
	if err := largest(ctx, rdb); err != nil {
		fmt.Println(err)
	}
	// Output:
	// Lima 10092000
	// Rome 2749000
}

func reload(ctx context.Context, cities *table.Table[City, int64], from, to float64, source iter.Seq[[]City]) error {
	if err := stage(ctx, cities, from, to, source); err != nil {
		return errors.Join(err, cities.ScratchAbort(context.WithoutCancel(ctx))) // as if nothing had happened
	}
	return cities.ScratchMerge(ctx) // one small script, whatever the size
}

func stage(ctx context.Context, cities *table.Table[City, int64], from, to float64, source iter.Seq[[]City]) error {
	// What is there must go; what the source brings again lives on.
	if _, err := cities.ScratchDiscard(ctx, cities.Range("people", from, to)); err != nil {
		return err
	}
	for batch := range source {
		if err := cities.ScratchPut(ctx, batch...); err != nil {
			return err
		}
	}
	return nil
}

func grow(ctx context.Context, cities *table.Table[City, int64]) error {
	for c, err := range cities.Records(ctx, cities.All("people")) {
		if err == nil {
			c.People += c.People / 100
			err = cities.ScratchPut(ctx, c)
		}
		if err != nil {
			return errors.Join(err, cities.ScratchAbort(ctx)) // as if nothing had happened
		}
	}
	return cities.ScratchMerge(ctx)
}

// openCities opens a table with cities of 100, 200 and 300 people.
func openCities(t *testing.T) *table.Table[City, int64] {
	t.Helper()
	rdb, stop := embedded(t.Context())
	t.Cleanup(stop)
	cities, err := table.Open(t.Context(), rdb, definition)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cities.Close() })
	if err := cities.Put(t.Context(), City{1, "A", 100}, City{2, "B", 200}, City{3, "C", 300}); err != nil {
		t.Fatal(err)
	}
	return cities
}

func people(t *testing.T, cities *table.Table[City, int64]) (all []int32) {
	t.Helper()
	for c, err := range cities.Records(t.Context(), cities.All("people")) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c.People)
	}
	return all
}

func TestReload(t *testing.T) {
	t.Parallel()
	cities := openCities(t)
	source := slices.Values([][]City{{{1, "A", 111}}, {{4, "D", 44}}})
	if err := reload(t.Context(), cities, 0, 250, source); err != nil {
		t.Fatal(err)
	}
	if got := people(t, cities); !slices.Equal(got, []int32{44, 111, 300}) {
		t.Errorf("got %v", got)
	}
	bad := slices.Values([][]City{{{1, "A", 999}}, {{1, "\xff", 1}}})
	if err := reload(t.Context(), cities, 0, 250, bad); err == nil {
		t.Error("a name that is no text was taken")
	}
	if got := people(t, cities); !slices.Equal(got, []int32{44, 111, 300}) {
		t.Errorf("after a reload that failed: got %v", got)
	}
}

func TestReadChangeWriteBack(t *testing.T) {
	t.Parallel()
	cities := openCities(t)
	if err := grow(t.Context(), cities); err != nil {
		t.Fatal(err)
	}
	if got := people(t, cities); !slices.Equal(got, []int32{101, 202, 303}) {
		t.Errorf("got %v", got)
	}
}
