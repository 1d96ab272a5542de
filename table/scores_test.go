package table_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tablecache-go/tablecache/table"
)

// From 1900 to 2100 the order of scores is the order of moments, to the microsecond.
func TestATimeScoreIsExactToAMicrosecond(t *testing.T) {
	t.Parallel()
	first, last := time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	random := rand.New(rand.NewPCG(3, 3))
	for range 100_000 {
		at := first.Add(time.Duration(random.Int64N(int64(last.Sub(first)/1000))) * 1000).Add(time.Duration(random.IntN(1000)))
		if last.Before(at) {
			continue
		}
		score, next := table.TimeScore(at), table.TimeScore(at.Add(time.Microsecond))
		if !(score < next) {
			t.Fatalf("%v has score %v, a microsecond later it is %v", at, score, next)
		}
		if off := math.Abs(score-float64(at.UnixMicro())/1e6) * 1e6; off > 1.6 { // rounded here, cut there, and written in 2^-22 s
			t.Fatalf("%v has score %v, %v microseconds off", at, score, off)
		}
	}
}

func TestATimeScoreIsRoundedToAMicrosecond(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 12, 0, 0, 1499, time.UTC)
	if table.TimeScore(at) != table.TimeScore(at.Add(-499)) || table.TimeScore(at) == table.TimeScore(at.Add(2)) {
		t.Error("a time is not rounded to the next microsecond")
	}
	if table.TimeScore(at.In(time.FixedZone("", 3600))) != table.TimeScore(at) {
		t.Error("the zone of a time changes its score")
	}
}

// Segments do not mix: a score lies in the interval of its segment and values, and in no other.
func TestASegmentHoldsItsValues(t *testing.T) {
	t.Parallel()
	const most = math.MaxUint32
	values := []uint32{0, 1, 1000, most - 1, most}
	segments := []uint32{0, 1, 77, 1<<21 - 2, 1<<21 - 1}
	for _, s := range segments {
		for _, v := range values {
			for _, in := range segments {
				for _, ge := range values {
					for _, lt := range values {
						want := s == in && v >= ge && (v < lt || v == most && lt == most)
						if got := table.InSegment(in, ge, lt).Contains(table.Segment(s, v)); got != want {
							t.Errorf("segment %d value %d in segment %d [%d, %d): %t", s, v, in, ge, lt, got)
						}
					}
				}
			}
		}
	}
	if !math.IsNaN(table.Segment(1<<21, 0)) || !math.IsNaN(table.InSegment(1<<21, 0, 1).GE) {
		t.Error("a segment that is too large has a score")
	}
}
