package table

import (
	"math"
	"time"
)

// ByTime returns an index by a time, whose score is TimeScore of it: Range(name, TimeScore(a), TimeScore(b)) has the records from a
// up to but not at b. at must be pure and safe for concurrent use.
func ByTime[R any](name string, at func(*R) time.Time) Index[R] {
	return By(name, func(r *R) float64 { return TimeScore(at(r)) })
}

// TimeScore returns a time as a score: the seconds since 1970 in UTC, rounded to a microsecond. From 1900 to 2100 times that are a
// microsecond apart have different scores, in their order.
func TimeScore(t time.Time) float64 {
	micros := t.Round(time.Microsecond)
	return float64(micros.Unix()) + float64(micros.Nanosecond()/1000)/1e6
}

// segmentBits is how many of the 53 bits that a score holds exactly are for the segment; the other 32 are for the value.
const segmentBits = 21

// Segment returns a score that orders records by segment and, inside one, by value, so that one index answers "the
// departures of one airport between two hours". segment must be less than 2^21: else the score is NaN, with which a record is
// refused. value may be anything.
func Segment(segment, value uint32) float64 {
	if segment >= 1<<segmentBits {
		return math.NaN()
	}
	return float64(uint64(segment)<<32 | uint64(value))
}

// InSegment returns the interval of the scores of one segment with values of at least ge and less than lt. An lt of
// math.MaxUint32 includes that value. For a segment of 2^21 or more it is an interval that no spec accepts.
func InSegment(segment, ge, lt uint32) Interval {
	i := Interval{GE: Segment(segment, ge), LT: Segment(segment, lt)}
	if lt == math.MaxUint32 {
		i.LT++
	}
	return i
}
