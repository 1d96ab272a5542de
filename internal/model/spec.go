package model

import (
	"cmp"
	"math"
	"slices"
)

// Interval is the scores from GE up to, but not, LT. An LT of +Inf includes +Inf.
type Interval struct{ GE, LT float64 }

// Everything is the interval of all scores.
func Everything() Interval { return Interval{GE: math.Inf(-1), LT: math.Inf(1)} }

// Contains tells whether the score lies in the interval.
func (i Interval) Contains(score float64) bool {
	return score >= i.GE && (score < i.LT || math.IsInf(i.LT, 1))
}

// Spec says which records a read is to find, and in which order.
type Spec[R any] struct {
	Index     string
	Intervals []Interval    // they do not overlap
	Recheck   func(*R) bool // nil: every record whose score lies in an interval
	Reverse   bool
	Limit     int // 0: none
}

// find returns the rows that the spec asks for: interval after interval in the order given, and inside one by score, then
// by key. Reverse turns the whole answer round; after that, Limit cuts it.
func (s Spec[R]) find(all rows[R], schema *Schema[R]) (found rows[R]) {
	score := func(r *row[R]) float64 { return schema.Score(&r.record, s.Index) }
	found = make(rows[R], 0, len(all))
	for _, in := range s.Intervals {
		before := len(found)
		for _, r := range all {
			if in.Contains(score(r)) && (s.Recheck == nil || s.Recheck(&r.record)) {
				found = append(found, r)
			}
		}
		// Stable: rows come in the order of their keys, so equal scores stay in it.
		slices.SortStableFunc(found[before:], func(a, b *row[R]) int { return cmp.Compare(score(a), score(b)) })
	}
	if s.Reverse {
		slices.Reverse(found)
	}
	if s.Limit > 0 && len(found) > s.Limit {
		found = found[:s.Limit]
	}
	return found
}
