package main

import (
	"fmt"

	"github.com/tablecache-go/tablecache/examples/internal/flightdata"
	"github.com/tablecache-go/tablecache/table"
)

// tableName is the example's own: nobody else's keys start with it.
const tableName = "tablecache-example-fleet"

type flight = flightdata.Flight

// hour is a part of the flights that leave one after another. Each change replaces one part, by one Put.
type hour struct {
	flights  []flight
	interval table.Interval // of their departures
}

const (
	mostFlights = 2000
	perHour     = 50
)

// loadHours returns the flights, in parts of about perHour. Flights with equal departures are in the same part.
func loadHours() ([]hour, error) {
	flights, err := flightdata.Load()
	if err != nil {
		return nil, err
	}
	flights = flights[:mostFlights]
	var hours []hour
	for first := 0; first < len(flights); {
		end := min(first+perHour, len(flights))
		for end < len(flights) && flights[end].Departure.Equal(flights[end-1].Departure) {
			end++
		}
		h := hour{flights: flights[first:end], interval: table.Everything()}
		h.interval.GE = flightdata.Score(h.flights[0].Departure)
		if end < len(flights) {
			h.interval.LT = flightdata.Score(flights[end].Departure)
		}
		hours, first = append(hours, h), end
	}
	return hours, nil
}

// Every change has a revision, which is one more than that of the change before, and which its records bear. A change whose revision is
// a multiple of perReload reloads everything; any other replaces the hour that its revision names. So the latest revision in an answer
// determines all others in it.
const perReload = 1000

func hourOf(revision uint32, hours int) int { return int(revision) % hours }

// revisionAt returns the revision of an hour's records after a change.
func revisionAt(change uint32, hour, hours int) uint32 {
	reload := change - change%perReload
	for r := change; r > reload; r-- {
		if hourOf(r, hours) == hour {
			return r
		}
	}
	return reload
}

// nextReload returns the revision of the first reload after a change.
func nextReload(change uint32) uint32 { return change - change%perReload + perReload }

// seen is what the records of one answer say of a part.
type seen struct {
	Hour     int    `json:"hour"`
	Flights  int    `json:"flights"`
	Revision uint32 `json:"revision"`
	Mixed    bool   `json:"mixed"` // they bear several revisions
}

// summary sums up an answer, part by part.
type summary struct {
	hours []hour
	parts map[int]*seen
}

func newSummary(hours []hour) *summary { return &summary{hours: hours, parts: make(map[int]*seen)} }

func (s *summary) add(f *flight) error {
	score := flightdata.Score(f.Departure)
	for i := range s.hours {
		if !s.hours[i].interval.Contains(score) {
			continue
		}
		part := s.parts[i]
		if part == nil {
			part = &seen{Hour: i, Revision: f.Revision}
			s.parts[i] = part
		}
		part.Flights++
		part.Mixed = part.Mixed || part.Revision != f.Revision
		return nil
	}
	return fmt.Errorf("flight %d is of no hour", f.ID)
}

// list returns the parts in order.
func (s *summary) list() (all []seen) {
	for i := range s.hours {
		if part := s.parts[i]; part != nil {
			all = append(all, *part)
		}
	}
	return all
}
