package main

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"
)

// Whoever checks answers must find wrong ones.
func TestWrongAnswersAreFound(t *testing.T) {
	at := func(id int32, hour int) flight {
		return flight{ID: id, Departure: firstDay.Add(time.Duration(hour) * time.Hour), Origin: "DTW", OriginName: "Motown"}
	}
	right := []flight{at(1, 0), at(2, 5), at(3, 23)}
	p := &play{flights: map[int32]flight{1: right[0], 2: right[1], 3: right[2], 4: at(4, 24)}}
	for what, answer := range map[string][]flight{
		"empty":      nil,
		"one less":   right[:2],
		"one twice":  {right[0], right[1], right[1]},
		"one more":   append(slices.Clone(right), at(4, 24)),
		"older":      {right[0], at(2, 4), right[2]},
		"unknown":    {right[0], right[1], at(5, 23)},
		"not sorted": {right[1], right[0], right[2]},
	} {
		if err := p.check(answer, window{firstDay, 1}); !errors.Is(err, errWrong) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := p.check(right, window{firstDay, 1}); err != nil {
		t.Error(err)
	}
}

func TestHalfARenamingIsFound(t *testing.T) {
	renamed, former := flight{Destination: "DTW", DestinationName: "Motown"}, flight{Origin: "DTW", OriginName: "Detroit"}
	for _, c := range []struct {
		flights []flight
		seen    bool
		err     error
	}{
		{[]flight{former, former}, false, nil},
		{[]flight{renamed, renamed}, true, nil},
		{[]flight{renamed, former}, false, errWrong},
	} {
		if seen, err := allOrNone(c.flights, "DTW", "Motown", 2); seen != c.seen || !errors.Is(err, c.err) {
			t.Errorf("%v: %v, %v", c.flights, seen, err)
		}
	}
}

func TestAReaderThatFailsEndsAll(t *testing.T) {
	content := func(context.Context) (bool, error) { return true, nil }
	reads := 0
	failing := func(context.Context) (bool, error) {
		if reads++; reads > 3 {
			return false, errWrong
		}
		return false, nil
	}
	found, err := during(t.Context(), []reader{content, failing}, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	if !errors.Is(err, errWrong) || found[0].answers == 0 || found[1] != (tally{refusals: 3}) {
		t.Errorf("%v, %v", found, err)
	}
}
