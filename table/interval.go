package table

import (
	"fmt"
	"math"
)

// Interval is the scores from GE up to but not including LT. An LT of +Inf includes +Inf.
type Interval struct{ GE, LT float64 }

// Everything returns the interval that holds every score.
func Everything() Interval { return Interval{GE: math.Inf(-1), LT: math.Inf(1)} }

// Only returns the interval that holds score alone (and, for the largest finite float64, +Inf,
// which no bound can tell apart). Only(NaN) is an interval that no spec accepts.
func Only(score float64) Interval {
	return Interval{GE: score, LT: math.Nextafter(score, math.Inf(1))}
}

// Contains tells whether score lies in the interval.
func (i Interval) Contains(score float64) bool {
	return score >= i.GE && (score < i.LT || (math.IsInf(i.LT, 1) && math.IsInf(score, 1)))
}

// Empty tells whether the interval holds no score.
func (i Interval) Empty() bool {
	return !(i.GE < i.LT) && !(math.IsInf(i.GE, 1) && math.IsInf(i.LT, 1))
}

// Intersects tells whether some score lies in both intervals.
func (i Interval) Intersects(o Interval) bool {
	return !Interval{GE: max(i.GE, o.GE), LT: min(i.LT, o.LT)}.Empty() && !i.Empty() && !o.Empty()
}

// Covers tells whether every score of o lies in i.
func (i Interval) Covers(o Interval) bool {
	return o.Empty() || (i.GE <= o.GE && o.LT <= i.LT)
}

// String returns "[GE, LT)", or "[GE, +Inf]".
func (i Interval) String() string {
	if math.IsInf(i.LT, 1) {
		return fmt.Sprintf("[%v, +Inf]", i.GE)
	}
	return fmt.Sprintf("[%v, %v)", i.GE, i.LT)
}

// wrong says why the interval is not allowed. It is empty if it is allowed.
func (i Interval) wrong() string {
	switch {
	case math.IsNaN(i.GE) || math.IsNaN(i.LT):
		return "NaN bound"
	case i.GE > i.LT:
		return "reversed"
	}
	return ""
}
