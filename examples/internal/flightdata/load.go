package flightdata

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/csv"
	"fmt"
	"strconv"
	"time"
)

//go:embed data/flights.csv.gz
var flightsFile []byte

//go:embed data/airports.csv.gz
var airportsFile []byte

// Load returns all flights in the order of their departure.
func Load() ([]Flight, error) {
	airports, err := loadAirports()
	if err != nil {
		return nil, fmt.Errorf("airports: %w", err)
	}
	lines, err := read(flightsFile)
	if err != nil {
		return nil, fmt.Errorf("flights: %w", err)
	}
	flights := make([]Flight, len(lines))
	for i, line := range lines {
		if flights[i], err = join(line, airports); err != nil {
			return nil, fmt.Errorf("flights: line %d: %w", i+2, err)
		}
	}
	return flights, nil
}

func loadAirports() (map[string]Airport, error) {
	lines, err := read(airportsFile)
	airports := make(map[string]Airport, len(lines))
	for _, l := range lines {
		airports[l[0]] = Airport{Code: l[0], Name: l[1], City: l[2], State: l[3]}
	}
	return airports, err
}

// read returns the lines of a compressed table, without its header.
func read(file []byte) ([][]string, error) {
	plain, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	lines, err := csv.NewReader(plain).ReadAll() // refuses lines of another length than the first
	if err != nil || len(lines) == 0 {
		return nil, err
	}
	return lines[1:], nil
}

// join makes a flight of: id, departure, delay, distance, origin, destination.
func join(line []string, airports map[string]Airport) (f Flight, err error) {
	var p parser
	f.ID = int32(p.int(line[0], 32))
	f.Departure = p.time(line[1])
	f.Delay = int16(p.int(line[2], 16))
	f.Distance = uint16(p.int(line[3], 16))
	f.Origin = p.airport(line[4], airports)
	f.Destination = p.airport(line[5], airports)
	return f, p.err
}

// parser keeps the first error.
type parser struct{ err error }

func (p *parser) keep(err error) {
	if p.err == nil {
		p.err = err
	}
}

func (p *parser) int(text string, bits int) int64 {
	n, err := strconv.ParseInt(text, 10, bits)
	p.keep(err)
	return n
}

func (p *parser) time(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	p.keep(err)
	return t.UTC()
}

func (p *parser) airport(code string, airports map[string]Airport) Airport {
	a, known := airports[code]
	if !known {
		p.keep(fmt.Errorf("no airport %q", code))
	}
	return a
}
