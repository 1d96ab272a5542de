package table

import (
	"testing"
	"time"

	"github.com/tablecache-go/tablecache/codec"
)

// departure is a record of six attributes, of about 150 bytes when encoded, and two indexes.
type departure struct {
	ID                     int64
	Carrier, Route, Remark string
	At                     time.Time
	Price                  float64
}

// departureCoder encodes and decodes.
func departureCoder() *coder[departure, int64] {
	return &coder[departure, int64]{def: Definition[departure, int64]{
		Name:       "t",
		PrimaryKey: Key(codec.Int64, func(d *departure) int64 { return d.ID }),
		Attributes: []Attribute[departure]{
			Field("id", codec.Int64, func(d *departure) *int64 { return &d.ID }),
			Field("carrier", codec.String, func(d *departure) *string { return &d.Carrier }),
			Field("route", codec.String, func(d *departure) *string { return &d.Route }),
			Field("remark", codec.String, func(d *departure) *string { return &d.Remark }),
			Field("at", codec.Time, func(d *departure) *time.Time { return &d.At }),
			Field("price", codec.Float64, func(d *departure) *float64 { return &d.Price }),
		},
		Indexes: []Index[departure]{
			By("at", func(d *departure) float64 { return float64(d.At.Unix()) }),
			By("price", func(d *departure) float64 { return d.Price }),
		},
	}}
}

func departures(n int) []departure {
	out := make([]departure, n)
	for i := range out {
		out[i] = departure{ID: int64(i), Carrier: "Carrier number 01234", Route: "from Lofoten by way of Röst, Bodö",
			Remark: "what is said about it, in some words and by chance: 0123456789", At: time.Unix(1_800_000_000+int64(i), 0).UTC(),
			Price: float64(i) * 1.25}
	}
	return out
}

func BenchmarkEncodeOne(b *testing.B)      { benchmarkEncode(b, 1) }
func BenchmarkEncodeThousand(b *testing.B) { benchmarkEncode(b, 1000) }

// benchmarkEncode tells the time and the allocations of a call with n records.
func benchmarkEncode(b *testing.B, n int) {
	t, records := departureCoder(), departures(n)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := t.encode(records); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/record")
}
