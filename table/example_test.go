package table_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/table"
)

// City is the record of the examples.
type City struct {
	ID       int64
	Name     string
	People   int32
	Latitude float64
}

func cityTable() table.Definition[City, int64] {
	return table.Definition[City, int64]{
		Name:       "cities",
		PrimaryKey: table.Key(codec.Int64, func(c *City) int64 { return c.ID }),
		Attributes: []table.Attribute[City]{
			table.Field("id", codec.Int64, func(c *City) *int64 { return &c.ID }),
			table.Field("name", codec.String, func(c *City) *string { return &c.Name }),
			table.Field("people", codec.Int32, func(c *City) *int32 { return &c.People }),
			table.Field("latitude", codec.Float64, func(c *City) *float64 { return &c.Latitude }),
		},
		Indexes: []table.Index[City]{
			table.By("people", func(c *City) float64 { return float64(c.People) }),
			table.By("latitude", func(c *City) float64 { return c.Latitude }),
		},
	}
}

var (
	ctx = context.Background()

	bern = City{1, "Bern", 146_000, 46.9}
	lima = City{2, "Lima", 10_092_000, -12.0}
	oslo = City{3, "Oslo", 717_000, 59.9}
	rome = City{4, "Rome", 2_749_000, 41.9}
)

// embedded returns a client of a Redis inside the process; yours would be redis.NewClient(&redis.Options{Addr: "localhost:6379"}).
func embedded() (rdb *redis.Client, stop func()) {
	server, err := miniredis.Run()
	if err != nil {
		panic(err)
	}
	rdb = redis.NewClient(&redis.Options{Addr: server.Addr()})
	return rdb, func() {
		_ = rdb.Close() // nothing hangs on it any more
		server.Close()
	}
}

// openCities opens a table that holds Bern, Lima, Oslo and Rome.
func openCities() (cities *table.Table[City, int64], closed func()) {
	rdb, stop := embedded()
	cities, err := table.Open(ctx, rdb, cityTable())
	if err == nil {
		err = cities.Put(ctx, bern, lima, oslo, rome)
	}
	if err != nil {
		panic(err)
	}
	return cities, func() {
		_ = cities.Close() // is always nil
		stop()
	}
}

// names reads the names of the cities of a spec.
func names(cities *table.Table[City, int64], s table.Spec[City]) (names []string) {
	for c, err := range cities.Records(ctx, s) {
		if err != nil {
			return append(names, err.Error())
		}
		names = append(names, c.Name)
	}
	return names
}

// A table is defined once, opened once for each process, and used by many goroutines.
func Example() {
	rdb, stop := embedded()
	defer stop()

	cities, err := table.Open(ctx, rdb, table.Definition[City, int64]{
		Name:       "cities",
		PrimaryKey: table.Key(codec.Int64, func(c *City) int64 { return c.ID }),
		Attributes: []table.Attribute[City]{
			table.Field("id", codec.Int64, func(c *City) *int64 { return &c.ID }),
			table.Field("name", codec.String, func(c *City) *string { return &c.Name }),
			table.Field("people", codec.Int32, func(c *City) *int32 { return &c.People }),
		},
		Indexes: []table.Index[City]{
			table.By("people", func(c *City) float64 { return float64(c.People) }),
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer cities.Close()

	if err := cities.Put(ctx, bern, lima, oslo, rome); err != nil {
		fmt.Println(err)
		return
	}
	for c, err := range cities.Records(ctx, cities.All("people").Reversed().Max(3)) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(c.Name, c.People)
	}
	// Output:
	// Lima 10092000
	// Rome 2749000
	// Oslo 717000
}

// Whoever opens a table owns it: an earlier owner can do no more harm.
func ExampleOpen() {
	rdb, stop := embedded()
	defer stop()
	first, err := table.Open(ctx, rdb, cityTable())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer first.Close()
	second, err := table.Open(ctx, rdb, cityTable())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer second.Close()

	fmt.Println(first.Put(ctx, oslo))
	fmt.Println(second.Put(ctx, oslo))
	// Output:
	// table cities: put: tablecache: table was opened by another owner
	// <nil>
}

func ExampleWithReset() {
	rdb, stop := embedded()
	defer stop()
	cities, _ := table.Open(ctx, rdb, cityTable())
	_ = cities.Put(ctx, oslo)
	_ = cities.Close()

	other := cityTable()
	other.Attributes[3] = table.Field("latitude", codec.FloatAsString, func(c *City) *float64 { return &c.Latitude })
	_, err := table.Open(ctx, rdb, other)
	var mismatch *table.SchemaError
	if errors.As(err, &mismatch) {
		fmt.Println(mismatch.Differences[0])
	}
	cities, err = table.Open(ctx, rdb, other, table.WithReset())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer cities.Close()
	fmt.Println(cities.Count(ctx, cities.All("people")))
	// Output:
	// attribute "latitude" has codec "float64", want "float-as-string"
	// 0 <nil>
}

func ExampleTable_Name() {
	cities, closed := openCities()
	defer closed()
	fmt.Println(cities.Name())
	// Output: cities
}

func ExampleTable_Close() {
	cities, closed := openCities()
	defer closed()
	fmt.Println(cities.Close())
	fmt.Println(cities.Close())
	fmt.Println(cities.Put(ctx, oslo))
	// Output:
	// <nil>
	// <nil>
	// table cities: put: tablecache: table is closed
}

func ExampleTable_Stats() {
	cities, closed := openCities()
	defer closed()
	_ = cities.ScratchPut(ctx, City{ID: 5, Name: "Ulm"})
	s, err := cities.Stats(ctx)
	fmt.Printf("%v, generation %d, %d records, %d staged, error %v\n", s.State, s.Generation, s.Records, s.Staged, err)
	// Output: active, generation 0, 4 records, 1 staged, error <nil>
}

// Verify looks at everything that is stored and blocks nobody.
func ExampleTable_Verify() {
	cities, closed := openCities()
	defer closed()
	report, err := cities.Verify(ctx)
	fmt.Println(report.OK(), report.Rows, err)
	// Output: true 4 <nil>
}

// Repair mends what is damaged, here by a foreign hand. ErrLost, which says that data is missing, needs a reload instead.
func ExampleTable_Repair() {
	rdb, stop := embedded()
	defer stop()
	cities, err := table.Open(ctx, rdb, cityTable())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer cities.Close()
	_ = cities.Put(ctx, bern, lima, oslo, rome)
	rdb.ZIncrBy(ctx, "cities:i:people", 1, rdb.ZRange(ctx, "cities:i:people", 0, 0).Val()[0])

	report, err := cities.Repair(ctx)
	for _, p := range report.Problems {
		fmt.Println(p.Kind, p.Index)
	}
	fmt.Println(err)
	// Output:
	// wrong score people
	// <nil>
}
