package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/table"
)

// record has six attributes, of about 150 bytes when encoded, and two scores.
type record struct {
	ID      int64
	Carrier string
	Route   string
	Remark  string
	Departs time.Time
	Price   float64
}

// The two indexes. Records depart one second apart, so that an interval of n seconds holds n records; prices are spread.
const (
	byDeparture = "departs"
	byPrice     = "price"
)

const firstDeparture = 1_800_000_000

func departure(r *record) float64 { return float64(r.Departs.Unix()) }
func price(r *record) float64     { return r.Price }

// departing returns the interval of n records from the i-th on.
func departing(i, n int) table.Interval {
	return table.Interval{GE: float64(firstDeparture + i), LT: float64(firstDeparture + i + n)}
}

// makeRecords returns the same n records at every call.
func makeRecords(n int) []record {
	random := rand.New(rand.NewPCG(1, 2))
	out := make([]record, n)
	for i := range out {
		out[i] = record{
			ID:      int64(i),
			Carrier: fmt.Sprintf("Carrier number %05d", random.IntN(100_000)),
			Route:   fmt.Sprintf("from %010d to %010d", random.IntN(1e10), random.IntN(1e10)),
			Remark:  fmt.Sprintf("what is said about it, in some words and by chance: %015d", random.Int64N(1e15)),
			Departs: time.Unix(int64(firstDeparture+i), 0).UTC(),
			Price:   float64(random.IntN(1_000_000)) / 100,
		}
	}
	return out
}

func definition(name string) table.Definition[record, int64] {
	return table.Definition[record, int64]{
		Name:       name,
		PrimaryKey: table.Key(codec.Int64, func(r *record) int64 { return r.ID }),
		Attributes: []table.Attribute[record]{
			table.Field("id", codec.Int64, func(r *record) *int64 { return &r.ID }),
			table.Field("carrier", codec.String, func(r *record) *string { return &r.Carrier }),
			table.Field("route", codec.String, func(r *record) *string { return &r.Route }),
			table.Field("remark", codec.String, func(r *record) *string { return &r.Remark }),
			table.Field("departs", codec.Time, func(r *record) *time.Time { return &r.Departs }),
			table.Field("price", codec.Float64, func(r *record) *float64 { return &r.Price }),
		},
		Indexes: []table.Index[record]{table.By(byDeparture, departure), table.By(byPrice, price)},
	}
}
