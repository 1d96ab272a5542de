package table_test

import (
	"errors"
	"fmt"

	"github.com/tablecache-go/tablecache/table"
)

func ExampleTable_Records() {
	cities, closed := openCities()
	defer closed()
	for c, err := range cities.Records(ctx, cities.Range("people", 500_000, 5_000_000)) {
		if err != nil {
			fmt.Println(err) // of this city alone if it is a *CodingError: then the loop goes on
			continue
		}
		fmt.Println(c.Name, c.People)
	}
	// Output:
	// Oslo 717000
	// Rome 2749000
}

// The read keeps to the moment it began, the writes follow it: nothing is visited twice, and nothing waits for itself.
func ExampleTable_Records_writeBack() {
	cities, closed := openCities()
	defer closed()
	for c, err := range cities.Records(ctx, cities.All("people")) {
		if err != nil {
			fmt.Println(err)
			return
		}
		c.People *= 2
		if err := cities.Put(ctx, c); err != nil {
			fmt.Println(err)
			return
		}
	}
	most, err := cities.First(ctx, cities.All("people").Reversed())
	fmt.Println(most.Name, most.People, err)
	// Output: Lima 20184000 <nil>
}

// A channel, where a range would not do. Err tells whether it came to its end.
func ExampleTable_Stream() {
	cities, closed := openCities()
	defer closed()
	stream := cities.Stream(ctx, cities.All("latitude"))
	defer stream.Close()
	for c := range stream.C() {
		fmt.Println(c.Name, c.Latitude)
	}
	fmt.Println(stream.Err())
	// Output:
	// Lima -12
	// Rome 41.9
	// Bern 46.9
	// Oslo 59.9
	// <nil>
}

func ExampleTable_First() {
	cities, closed := openCities()
	defer closed()
	north, err := cities.First(ctx, cities.All("latitude").Reversed())
	fmt.Println(north.Name, err)
	_, err = cities.First(ctx, cities.Range("latitude", 80, 90))
	fmt.Println(errors.Is(err, table.ErrNotFound))
	// Output:
	// Oslo <nil>
	// true
}

func ExampleTable_Get() {
	cities, closed := openCities()
	defer closed()
	c, err := cities.Get(ctx, 2)
	fmt.Println(c.Name, err)
	_, err = cities.Get(ctx, 99)
	fmt.Println(errors.Is(err, table.ErrNotFound))
	// Output:
	// Lima <nil>
	// true
}

// Many keys at one moment, in one round trip. A key that is not there is skipped.
func ExampleTable_Lookup() {
	cities, closed := openCities()
	defer closed()
	for c, err := range cities.Lookup(ctx, 4, 99, 1) {
		fmt.Println(c.Name, err)
	}
	// Output:
	// Rome <nil>
	// Bern <nil>
}

func ExampleTable_Count() {
	cities, closed := openCities()
	defer closed()
	fmt.Println(cities.Count(ctx, cities.Range("people", 1_000_000, 100_000_000)))
	// Output: 2 <nil>
}

func ExampleTable_All() {
	cities, closed := openCities()
	defer closed()
	fmt.Println(names(cities, cities.All("people")))
	fmt.Println(names(cities, cities.All("latitude")))
	// Output:
	// [Bern Oslo Rome Lima]
	// [Lima Rome Bern Oslo]
}

// The lower bound is part of a range, the upper one is not.
func ExampleTable_Range() {
	cities, closed := openCities()
	defer closed()
	fmt.Println(names(cities, cities.Range("latitude", 41.9, 59.9)))
	// Output: [Rome Bern]
}

// A spec is a value: write it out for more than one interval.
func ExampleSpec() {
	cities, closed := openCities()
	defer closed()
	fmt.Println(names(cities, table.Spec[City]{
		Index:     "latitude",
		Intervals: []table.Interval{{GE: 50, LT: 90}, {GE: -90, LT: 0}, table.Only(46.9)},
	}))
	// Output: [Oslo Lima Bern]
}

func ExampleSpec_Where() {
	cities, closed := openCities()
	defer closed()
	small := func(c *City) bool { return c.People < 1_000_000 }
	fmt.Println(names(cities, cities.All("latitude").Where(small)))
	// Output: [Bern Oslo]
}

func ExampleSpec_Reversed() {
	cities, closed := openCities()
	defer closed()
	fmt.Println(names(cities, cities.All("people").Reversed()))
	// Output: [Lima Rome Oslo Bern]
}

// The limit counts what is left after order and predicate.
func ExampleSpec_Max() {
	cities, closed := openCities()
	defer closed()
	north := func(c *City) bool { return c.Latitude > 0 }
	fmt.Println(names(cities, cities.All("people").Reversed().Where(north).Max(2)))
	// Output: [Rome Oslo]
}

func ExampleOnly() {
	i := table.Only(3)
	fmt.Println(i.Contains(3), i.Contains(3.0000000001), table.Everything().Covers(i))
	// Output: true false true
}

func ExampleInterval() {
	spring, may := table.Interval{GE: 3, LT: 6}, table.Interval{GE: 5, LT: 6}
	fmt.Println(spring, spring.Contains(6), spring.Covers(may), may.Intersects(table.Interval{GE: 6, LT: 9}))
	// Output: [3, 6) false true false
}
