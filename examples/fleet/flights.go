package main

import (
	"iter"
	"time"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/examples/internal/flightdata"
	"github.com/tablecache-go/tablecache/table"
)

// tableName is the example's own: nobody else's keys start with it. The braces keep all of them on one node of a cluster.
const tableName = "{tablecache-example-fleet}"

// flight is what the service knows of a flight.
type flight struct {
	ID        int32     `json:"id"`
	Departure time.Time `json:"departure"`
	Route     string    `json:"route"`
	Seats     int32     `json:"seats"`          // that are free
	Booking   uint32    `json:"booking"`        // number of the latest booking; 0: there was none
	Reload    uint32    `json:"reload"`         // that the record came with
	Gate      string    `json:"gate,omitempty"` // since version 2
}

// The indexes.
const (
	byDeparture = "departure"
	bySeats     = "seats" // since version 2
)

// definition returns the table's definition in a version of the service. Version 2 has an attribute and an index more.
func definition(version int) table.Definition[flight, int32] {
	d := table.Definition[flight, int32]{
		Name:       tableName,
		PrimaryKey: table.Key(codec.Int32, func(f *flight) int32 { return f.ID }),
		Attributes: []table.Attribute[flight]{
			table.Field("id", codec.Int32, func(f *flight) *int32 { return &f.ID }),
			table.Field("departure", codec.UTCDatetime, func(f *flight) *time.Time { return &f.Departure }),
			table.Field("route", codec.String, func(f *flight) *string { return &f.Route }),
			table.Field("seats", codec.Int32, func(f *flight) *int32 { return &f.Seats }),
			table.Field("booking", codec.Uint32, func(f *flight) *uint32 { return &f.Booking }),
			table.Field("reload", codec.Uint32, func(f *flight) *uint32 { return &f.Reload }),
		},
		Indexes: []table.Index[flight]{table.ByTime(byDeparture, func(f *flight) time.Time { return f.Departure })},
	}
	if version >= 2 {
		d.Attributes = append(d.Attributes, table.Field("gate", codec.String, func(f *flight) *string { return &f.Gate }))
		d.Indexes = append(d.Indexes, table.By(bySeats, func(f *flight) float64 { return float64(f.Seats) }))
	}
	return d
}

const (
	flights     = 1000
	seatsAtWill = 100 // that each flight has at first
)

// loadFlights returns the flights as they are before any booking.
func loadFlights() ([]flight, error) {
	all, err := flightdata.Load()
	if err != nil {
		return nil, err
	}
	of := make([]flight, flights)
	for i, f := range all[:flights] {
		of[i] = flight{
			ID: f.ID, Departure: f.Departure, Route: f.Origin.Code + "-" + f.Destination.Code,
			Seats: seatsAtWill, Gate: string('A' + rune(i%26)),
		}
	}
	return of, nil
}

// booking moves passengers from one flight to another: afterwards the two have so many free seats. Bookings of a pair of flights are
// numbered, so that one that is asked for twice, or late, is done once. Both flights change at one moment.
type booking struct {
	Number  uint32   `json:"number"`
	Flights [2]int32 `json:"flights"`
	Seats   [2]int32 `json:"seats"`
}

// do does a booking, unless it or a later one is done.
func (b *booking) do(from, to *flight) {
	if b.Number <= from.Booking {
		return
	}
	from.Seats, to.Seats = b.Seats[0], b.Seats[1]
	from.Booking, to.Booking = b.Number, b.Number
}

// summary is what all flights are together. Bookings leave the sum of seats as it is, and all flights without one come with the same
// reload: so a mix of two moments gives itself away.
type summary struct {
	Flights int    `json:"flights"`
	Seats   int    `json:"seats"`
	Oldest  uint32 `json:"oldest"` // reload of the flights without a booking
	Newest  uint32 `json:"newest"`
}

func summarize(all iter.Seq2[flight, error]) (s summary, err error) {
	for f, err := range all {
		if err != nil {
			return s, err
		}
		s.add(&f)
	}
	return s, nil
}

func (s *summary) add(f *flight) {
	s.Flights++
	s.Seats += int(f.Seats)
	if f.Booking != 0 {
		return
	}
	if s.Newest == 0 {
		s.Oldest = f.Reload
	}
	s.Oldest, s.Newest = min(s.Oldest, f.Reload), max(s.Newest, f.Reload)
}
