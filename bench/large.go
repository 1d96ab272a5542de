package main

import (
	"context"
	"fmt"
	"runtime"
	"time"
)

const (
	firstWithin = 5 * time.Millisecond // goal: until the first record of a stream
	firstTries  = 50
)

// large looks at one stream of very many records.
func (s *sides) large(ctx context.Context) error {
	n := len(s.b.records)
	r := report{mark: "large", head: []string{"stream of " + thousands(float64(n)) + " records", "figure", "goal", ""},
		widths: []int{-40, 12, 8, -6}}
	r.begin()
	var took []float64
	for range firstTries {
		d, err := s.untilFirst(ctx)
		if err != nil {
			return err
		}
		took = append(took, micros(d)/1000)
	}
	verdict := "met"
	if percentile(took, 1) > micros(firstWithin)/1000 {
		verdict = "MISSED"
	}
	r.add("until the first record, ms, median", fixed(median(took)), "", "")
	r.add(fmt.Sprintf("until the first record, ms, longest of %d", firstTries), fixed(percentile(took, 1)), "< 5", verdict)
	s.b.records, s.b.encoded = nil, nil // they would let garbage grow
	most, err := s.mostHeap(ctx)
	s.b.records = makeRecords(n)
	if err != nil {
		return err
	}
	r.add("heap meanwhile, garbage included, MiB", fixed(most/(1<<20)), "", "")
	return r.end(s.b.options)
}

func (s *sides) untilFirst(ctx context.Context) (time.Duration, error) {
	start := time.Now()
	for _, err := range s.table.Records(ctx, s.table.All(byDeparture)) {
		return time.Since(start), err
	}
	return 0, exactly(0, 1)
}

// mostHeap streams everything and returns by how many bytes the heap was larger than before, at most.
func (s *sides) mostHeap(ctx context.Context) (most float64, err error) {
	runtime.GC()
	before, n := heapBytes(), 0
	for _, err := range s.table.Records(ctx, s.table.All(byDeparture)) {
		if err != nil {
			return 0, err
		}
		if n++; n%batch == 0 {
			most = max(most, heapBytes()-before)
		}
	}
	return most, nil
}

func heapBytes() float64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}
