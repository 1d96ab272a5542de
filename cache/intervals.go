package cache

import (
	"cmp"
	"math"
	"slices"

	"github.com/tablecache-go/tablecache/table"
)

// Sets of scores are slices of intervals: sorted, not empty, and apart. No set has the largest finite number without +Inf, or the other
// way round, because no bound can tell them apart from below.

// setOf returns the set of all scores that lie in any of the intervals.
func setOf(in ...table.Interval) []table.Interval {
	set := make([]table.Interval, 0, len(in))
	for _, i := range in {
		if !i.Empty() {
			set = append(set, expressible(i))
		}
	}
	slices.SortFunc(set, func(a, b table.Interval) int { return cmp.Compare(a.GE, b.GE) })
	return joined(set)
}

// expressible returns an interval that holds the largest finite number if it holds +Inf.
func expressible(i table.Interval) table.Interval {
	return table.Interval{GE: min(i.GE, math.MaxFloat64), LT: i.LT}
}

// joined joins sorted intervals that touch or overlap.
func joined(sorted []table.Interval) []table.Interval {
	set := sorted[:0]
	for _, i := range sorted {
		if last := len(set) - 1; last >= 0 && i.GE <= set[last].LT {
			set[last].LT = max(set[last].LT, i.LT)
		} else {
			set = append(set, i)
		}
	}
	return set
}

// union returns what lies in a or in b.
func union(a, b []table.Interval) []table.Interval { return setOf(slices.Concat(a, b)...) }

// without returns what of a set does not lie in another one.
func without(a, b []table.Interval) (left []table.Interval) {
	for _, i := range a {
		at := i.GE
		for _, gone := range b[behind(b, i.GE):] {
			if gone.GE >= i.LT {
				break
			}
			if gone.GE > at {
				left = append(left, table.Interval{GE: at, LT: gone.GE})
			}
			at = gone.LT
		}
		if at < i.LT {
			left = append(left, table.Interval{GE: at, LT: i.LT})
		}
	}
	return left
}

// within returns what of a set lies in another one, too.
func within(a, b []table.Interval) (both []table.Interval) {
	for _, i := range a {
		for _, o := range b[behind(b, i.GE):] {
			if o.GE >= i.LT {
				break
			}
			both = append(both, table.Interval{GE: max(i.GE, o.GE), LT: min(i.LT, o.LT)})
		}
	}
	return both
}

// behind returns the first interval of a set that ends behind a score.
func behind(set []table.Interval, score float64) int {
	at, _ := slices.BinarySearchFunc(set, score, func(i table.Interval, score float64) int {
		if i.LT <= score {
			return -1
		}
		return 1
	})
	return at
}

// has tells whether a score lies in a set.
func has(set []table.Interval, score float64) bool {
	at := behind(set, min(score, math.MaxFloat64))
	return at < len(set) && set[at].Contains(score)
}
