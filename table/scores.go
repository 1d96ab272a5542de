package table

import (
	"math"
	"time"
)

// ByTime returns an index by a moment, as TimeScore tells it: Range(name, TimeScore(from), TimeScore(to)) are the records from
// from up to but not at to. at must be pure and safe for concurrent use.
func ByTime[R any](name string, at func(*R) time.Time) Index[R] {
	return By(name, func(r *R) float64 { return TimeScore(at(r)) })
}

// TimeScore returns a moment as a score: seconds since 1970 in UTC, rounded to a microsecond. From 1900 to 2100 two moments
// that are a microsecond apart have two scores, in their order.
func TimeScore(t time.Time) float64 {
	micros := t.Round(time.Microsecond)
	return float64(micros.Unix()) + float64(micros.Nanosecond()/1000)/1e6
}

// segmentBits is how many bits of a score's 53 exact ones tell the segment; the rest is the value.
const segmentBits = 21

// Segment returns a score that orders records by segment and, inside one, by value, so that one index answers "the
// departures of one airport between two hours". A segment is less than 2^21; a larger one is NaN, which no record may have.
// value may be anything.
func Segment(segment, value uint32) float64 {
	if segment >= 1<<segmentBits {
		return math.NaN()
	}
	return float64(uint64(segment)<<32 | uint64(value))
}

// InSegment returns the interval of the scores of one segment whose value is at least ge and less than lt; an lt of
// math.MaxUint32 includes that value. A segment of 2^21 or more gives an interval that no spec accepts.
func InSegment(segment, ge, lt uint32) Interval {
	i := Interval{GE: Segment(segment, ge), LT: Segment(segment, lt)}
	if lt == math.MaxUint32 {
		i.LT++
	}
	return i
}
