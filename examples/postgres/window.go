package main

import (
	"fmt"
	"time"

	"github.com/tablecache-go/tablecache/table"
)

// window is some days, from midnight to midnight in UTC.
type window struct {
	from time.Time
	days int
}

// firstDay is the first of which there is data.
var firstDay = time.Date(2001, time.January, 1, 0, 0, 0, 0, time.UTC)

func (w window) to() time.Time { return w.from.AddDate(0, 0, w.days) }

// later is the window some days later.
func (w window) later(days int) window { return window{w.from.AddDate(0, 0, days), w.days} }

// interval is the window as scores.
func (w window) interval() table.Interval {
	return table.Interval{GE: table.TimeScore(w.from), LT: table.TimeScore(w.to())}
}

// spec is what is read of a window.
func (w window) spec() table.Spec[flight] {
	return table.Spec[flight]{Index: byDeparture, Intervals: []table.Interval{w.interval()}}
}

func (w window) String() string {
	const day = "2 January"
	return fmt.Sprintf("%s to %s", w.from.Format(day), w.to().AddDate(0, 0, -1).Format(day))
}
