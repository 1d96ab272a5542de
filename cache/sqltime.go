package cache

import (
	"math"
	"time"

	"github.com/tablecache-go/tablecache/table"
)

// What TimeArgs makes of bounds that lie beyond. Databases have at least these times.
var (
	earliest = time.Date(1000, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)
)

// TimeArgs is Args of an SQLQuery by a column with a time, whose score is table.TimeScore of it (see table.ByTime): of each bound the
// first time, in UTC, whose score is not below the bound. It is exact for columns of microseconds or coarser, and times from 1900 to 2100. Infinite bounds
// become the year 1000 and the end of 9999.
func TimeArgs(in table.Interval) ([]any, error) {
	return []any{firstTime(in.GE), firstTime(in.LT)}, nil
}

// firstTime returns the first time, in microseconds, whose score is not below a bound.
func firstTime(bound float64) time.Time {
	if bound <= table.TimeScore(earliest) {
		return earliest
	}
	if bound > table.TimeScore(latest) {
		return latest
	}
	seconds := math.Floor(bound)
	t := time.Unix(int64(seconds), int64((bound-seconds)*1e9)).UTC().Truncate(time.Microsecond)
	for table.TimeScore(t) >= bound { // floats are not exact: from a little before
		t = t.Add(-time.Microsecond)
	}
	for table.TimeScore(t) < bound {
		t = t.Add(time.Microsecond)
	}
	return t
}
