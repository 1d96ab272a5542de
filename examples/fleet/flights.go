package main

import (
	"fmt"

	"github.com/tablecache-go/tablecache/examples/internal/flightdata"
	"github.com/tablecache-go/tablecache/table"
)

// tableName is the example's own: nobody else's keys start with it.
const tableName = "tablecache-example-fleet"

type flight = flightdata.Flight

// wave is some flights that leave one after another. What is changed at once is one wave, or all.
type wave struct {
	flights  []flight
	interval table.Interval // of their departures
}

const (
	mostFlights = 2000
	perWave     = 50
)

// loadWaves returns the flights, in waves of about perWave. Flights with equal departures are in the same wave.
func loadWaves() ([]wave, error) {
	flights, err := flightdata.Load()
	if err != nil {
		return nil, err
	}
	flights = flights[:mostFlights]
	var waves []wave
	for first := 0; first < len(flights); {
		end := min(first+perWave, len(flights))
		for end < len(flights) && flights[end].Departure.Equal(flights[end-1].Departure) {
			end++
		}
		w := wave{flights: flights[first:end], interval: table.Everything()}
		w.interval.GE = flightdata.Score(w.flights[0].Departure)
		if end < len(flights) {
			w.interval.LT = flightdata.Score(flights[end].Departure)
		}
		waves, first = append(waves, w), end
	}
	return waves, nil
}

// Every change has a revision, one more than that of the change before, and its records bear it. A change whose revision is a
// multiple of perReload reloads everything; any other replaces the wave that its revision names. So the latest revision in an answer
// determines all others in it.
const perReload = 1000

func waveOf(revision uint32, waves int) int { return int(revision) % waves }

// revisionAt returns the revision of a wave's records after a change.
func revisionAt(change uint32, wave, waves int) uint32 {
	reload := change - change%perReload
	for r := change; r > reload; r-- {
		if waveOf(r, waves) == wave {
			return r
		}
	}
	return reload
}

// nextReload returns the revision of the first reload after a change.
func nextReload(change uint32) uint32 { return change - change%perReload + perReload }

// seen is what an answer shows of a wave.
type seen struct {
	Wave     int    `json:"wave"`
	Flights  int    `json:"flights"`
	Revision uint32 `json:"revision"`
	Mixed    bool   `json:"mixed"` // its flights bear several revisions
}

// summary sums up an answer, wave by wave.
type summary struct {
	waves []wave
	seen  map[int]*seen
}

func newSummary(waves []wave) *summary { return &summary{waves: waves, seen: make(map[int]*seen)} }

// add adds a flight of the answer.
func (s *summary) add(f *flight) error {
	score := flightdata.Score(f.Departure)
	for i := range s.waves {
		if s.waves[i].interval.Contains(score) {
			s.addTo(i, f.Revision)
			return nil
		}
	}
	return fmt.Errorf("flight %d is of no wave", f.ID)
}

func (s *summary) addTo(wave int, revision uint32) {
	w := s.seen[wave]
	if w == nil {
		w = &seen{Wave: wave, Revision: revision}
		s.seen[wave] = w
	}
	w.Flights++
	w.Mixed = w.Mixed || w.Revision != revision
}

// list returns what was seen, in the order of the waves.
func (s *summary) list() (all []seen) {
	for i := range s.waves {
		if w := s.seen[i]; w != nil {
			all = append(all, *w)
		}
	}
	return all
}
