package table_test

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/table"
)

// Stop is a record whose key has two columns.
type Stop struct {
	At   Place
	Line string
	Km   float64
}

// Place is where a line stops for the n-th time.
type Place struct {
	Line string
	N    uint16
}

// A key of several columns. Reads with equal scores come in the order of the keys' bytes.
func ExampleKey() {
	rdb, stop := embedded()
	defer stop()
	place := codec.Struct(
		codec.PartOf(codec.String, func(p *Place) *string { return &p.Line }),
		codec.PartOf(codec.Uint16, func(p *Place) *uint16 { return &p.N }),
	)
	stops, err := table.Open(ctx, rdb, table.Definition[Stop, Place]{
		Name:       "stops",
		PrimaryKey: table.Key(place, func(s *Stop) Place { return s.At }),
		Attributes: []table.Attribute[Stop]{
			table.Field("at", place, func(s *Stop) *Place { return &s.At }),
			table.Field("km", codec.Float64, func(s *Stop) *float64 { return &s.Km }),
		},
		Indexes: []table.Index[Stop]{table.By("km", func(s *Stop) float64 { return s.Km })},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stops.Close()
	_ = stops.Put(ctx, Stop{At: Place{"U6", 1}, Km: 0}, Stop{At: Place{"U6", 2}, Km: 0.8})
	s, err := stops.Get(ctx, Place{"U6", 2})
	fmt.Println(s.At.N, s.Km, err)
	// Output: 2 0.8 <nil>
}

// An attribute may be computed: here a name is stored in capital letters.
func ExampleAttr() {
	rdb, stop := embedded()
	defer stop()
	def := cityTable()
	def.Attributes[1] = table.Attr("name", codec.String,
		func(c *City) (string, error) { return strings.ToUpper(c.Name), nil },
		func(c *City, stored string) error { c.Name = stored; return nil })
	cities, err := table.Open(ctx, rdb, def)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer cities.Close()
	_ = cities.Put(ctx, oslo)
	c, err := cities.Get(ctx, oslo.ID)
	fmt.Println(c.Name, err)
	// Output: OSLO <nil>
}

// Records may be maps.
func ExampleMapField() {
	rdb, stop := embedded()
	defer stop()
	type record = map[string]any
	cities, err := table.Open(ctx, rdb, table.Definition[record, string]{
		Name:       "cities",
		PrimaryKey: table.Key(codec.String, func(r *record) string { s, _ := (*r)["name"].(string); return s }),
		Attributes: []table.Attribute[record]{
			table.MapField("name", codec.String),
			table.MapField("people", codec.Int32),
		},
		Indexes: []table.Index[record]{
			table.By("people", func(r *record) float64 { n, _ := (*r)["people"].(int32); return float64(n) }),
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer cities.Close()
	_ = cities.Put(ctx, record{"name": "Oslo", "people": int32(717_000), "mayor": "is no attribute"})
	r, _ := cities.Get(ctx, "Oslo")
	fmt.Println(r)
	err = cities.Put(ctx, record{"name": "Rome"})
	fmt.Println(errors.Is(err, table.ErrMissingAttribute))
	// Output:
	// map[name:Oslo people:717000]
	// true
}

// What cannot be encoded is refused before anything is sent. The error tells where, and nothing of the record.
func ExampleCodingError() {
	cities, closed := openCities()
	defer closed()
	err := cities.Put(ctx, City{ID: 5, Name: "not UTF-8: \xff"})
	var coding *table.CodingError
	fmt.Println(errors.As(err, &coding), coding.Attribute, errors.Is(err, codec.ErrValue))
	// Output: true name true
}
