package flightdata

import (
	"time"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/table"
)

// Flight is a flight joined with its airports.
type Flight struct {
	ID          int32     `json:"id"`
	Departure   time.Time `json:"departure"`
	Delay       int16     `json:"delay"`    // minutes; negative: early
	Distance    uint16    `json:"distance"` // miles
	Origin      Airport   `json:"origin"`
	Destination Airport   `json:"destination"`
	Revision    uint32    `json:"revision"` // of the reload that the record came with
}

// Airport is where a flight starts or lands.
type Airport struct {
	Code  string `json:"code"`
	Name  string `json:"name"`
	City  string `json:"city"`
	State string `json:"state"`
}

// The names of the indexes.
const (
	ByDeparture = "departure" // score: Unix seconds
	ByDelay     = "delay"     // score: minutes
)

// Definition returns the definition of a table of flights.
func Definition(name string) table.Definition[Flight, int32] {
	return table.Definition[Flight, int32]{
		Name:       name,
		PrimaryKey: table.Key(codec.Int32, func(f *Flight) int32 { return f.ID }),
		Attributes: []table.Attribute[Flight]{
			table.Field("id", codec.Int32, func(f *Flight) *int32 { return &f.ID }),
			table.Field("departure", codec.UTCDatetime, func(f *Flight) *time.Time { return &f.Departure }),
			table.Field("delay", codec.Int16, func(f *Flight) *int16 { return &f.Delay }),
			table.Field("distance", codec.Uint16, func(f *Flight) *uint16 { return &f.Distance }),
			table.Field("origin", airport(), func(f *Flight) *Airport { return &f.Origin }),
			table.Field("destination", airport(), func(f *Flight) *Airport { return &f.Destination }),
			table.Field("revision", codec.Uint32, func(f *Flight) *uint32 { return &f.Revision }),
		},
		Indexes: []table.Index[Flight]{
			table.By(ByDeparture, func(f *Flight) float64 { return Score(f.Departure) }),
			table.By(ByDelay, func(f *Flight) float64 { return float64(f.Delay) }),
		},
	}
}

func airport() codec.Codec[Airport] {
	return codec.Struct(
		codec.PartOf(codec.String, func(a *Airport) *string { return &a.Code }),
		codec.PartOf(codec.String, func(a *Airport) *string { return &a.Name }),
		codec.PartOf(codec.String, func(a *Airport) *string { return &a.City }),
		codec.PartOf(codec.String, func(a *Airport) *string { return &a.State }),
	)
}

// Score returns the score of a moment in the index ByDeparture.
func Score(t time.Time) float64 { return float64(t.Unix()) }
