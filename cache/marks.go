package cache

import (
	"cmp"
	"slices"

	"github.com/tablecache-go/tablecache/table"
)

// marks are what was invalidated and not fetched since: sorted, and apart.
type marks []mark

// mark says that an interval was invalidated, last by the invalidation with this number.
type mark struct {
	table.Interval
	number uint64
}

// mostMarks bounds the marks that are kept apart. Beyond it neighbours are joined: more is invalid then than was invalidated.
const mostMarks = 1000

// add returns the marks after one more invalidation.
func (m marks) add(set []table.Interval, number uint64) marks {
	after := m.clear(set, number)
	for _, i := range set {
		after = append(after, mark{i, number})
	}
	slices.SortFunc(after, func(a, b mark) int { return cmp.Compare(a.GE, b.GE) })
	for len(after) > mostMarks {
		after = after.halved()
	}
	return after
}

// halved joins pairs of neighbours.
func (m marks) halved() (half marks) {
	for pair := range slices.Chunk(m, 2) {
		last := pair[len(pair)-1]
		half = append(half, mark{table.Interval{GE: pair[0].GE, LT: last.LT}, max(pair[0].number, last.number)})
	}
	return half
}

// clear returns the marks without those of a set that are of invalidations up to a number.
func (m marks) clear(set []table.Interval, upTo uint64) (left marks) {
	for _, one := range m {
		if one.number > upTo {
			left = append(left, one)
			continue
		}
		for _, i := range without([]table.Interval{one.Interval}, set) {
			left = append(left, mark{i, one.number})
		}
	}
	return left
}

// upTo returns what was invalidated by the invalidations up to a number, and by none since, as a set.
func (m marks) upTo(number uint64) (set []table.Interval) {
	for _, one := range m {
		if one.number <= number {
			set = append(set, one.Interval)
		}
	}
	return joined(set)
}
