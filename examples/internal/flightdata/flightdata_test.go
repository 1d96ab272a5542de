package flightdata

import (
	"slices"
	"testing"
	"time"
)

func TestLoadJoinsEveryFlightWithItsAirports(t *testing.T) {
	flights, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	if len(flights) != 20_000 {
		t.Fatalf("%d flights", len(flights))
	}
	want := Flight{
		ID: 1, Departure: time.Date(2001, 1, 1, 0, 47, 0, 0, time.UTC), Delay: 66, Distance: 1750,
		Origin:      Airport{Code: "DTW", Name: "Detroit Metropolitan-Wayne County", City: "Detroit", State: "MI"},
		Destination: Airport{Code: "LAS", Name: "McCarran International", City: "Las Vegas", State: "NV"},
	}
	if flights[0] != want {
		t.Errorf("got %+v", flights[0])
	}
	if !slices.IsSortedFunc(flights, func(a, b Flight) int { return a.Departure.Compare(b.Departure) }) {
		t.Error("not in the order of departure")
	}
}

func TestABadLineIsAnError(t *testing.T) {
	airports := map[string]Airport{"AAA": {Code: "AAA"}}
	good := []string{"1", "2001-01-01T00:47:00Z", "66", "1750", "AAA", "AAA"}
	if _, err := join(good, airports); err != nil {
		t.Fatal(err)
	}
	for i, bad := range []string{"x", "yesterday", "40000", "1e9", "BBB", ""} {
		line := slices.Clone(good)
		line[i] = bad
		if _, err := join(line, airports); err == nil {
			t.Errorf("%q was taken in column %d", bad, i)
		}
	}
}
