package cache

import (
	"cmp"
	"slices"

	"github.com/tablecache-go/tablecache/table"
)

// marks are what was invalidated and not fetched since: sorted, and apart.
type marks []mark

// mark is an interval that was invalidated.
type mark struct {
	table.Interval
	numbers
}

// numbers are of the invalidations of one thing that no fetch has begun after: the first of them, or an earlier one, and the last.
type numbers struct{ first, last uint64 }

// and returns the numbers after one more invalidation.
func (n numbers) and(number uint64) numbers {
	if n.first == 0 {
		n.first = number
	}
	n.last = number
	return n
}

// after returns the numbers that are left when all has been fetched after an invalidation; zero if none are.
func (n numbers) after(fetched uint64) numbers {
	if n.last <= fetched {
		return numbers{}
	}
	n.first = max(n.first, fetched+1)
	return n
}

// mostMarks bounds the marks that are kept apart. Beyond it neighbours are joined: more is invalid then than was invalidated.
const mostMarks = 1000

// add returns the marks after one more invalidation.
func (m marks) add(set []table.Interval, number uint64) marks {
	after := m.within(set, func(n numbers) numbers { return n.and(number) })
	for _, i := range without(set, m.intervals()) {
		after = append(after, mark{i, numbers{}.and(number)})
	}
	slices.SortFunc(after, func(a, b mark) int { return cmp.Compare(a.GE, b.GE) })
	for len(after) > mostMarks {
		after = after.halved()
	}
	return after
}

// fetched returns the marks that are left when a set has been fetched after an invalidation.
func (m marks) fetched(set []table.Interval, number uint64) marks {
	return m.within(set, func(n numbers) numbers { return n.after(number) })
}

// inside returns the marks that lie in a set.
func (m marks) inside(set []table.Interval) (kept marks) {
	for _, one := range m {
		for _, i := range within([]table.Interval{one.Interval}, set) {
			kept = append(kept, mark{i, one.numbers})
		}
	}
	return kept
}

// within returns the marks with other numbers within a set; without those that get none.
func (m marks) within(set []table.Interval, change func(numbers) numbers) (after marks) {
	for _, one := range m {
		own := []table.Interval{one.Interval}
		for _, i := range without(own, set) {
			after = append(after, mark{i, one.numbers})
		}
		if n := change(one.numbers); n != (numbers{}) {
			for _, i := range within(own, set) {
				after = append(after, mark{i, n})
			}
		}
	}
	slices.SortFunc(after, func(a, b mark) int { return cmp.Compare(a.GE, b.GE) })
	return after
}

// halved joins pairs of neighbours.
func (m marks) halved() (half marks) {
	for pair := range slices.Chunk(m, 2) {
		a, b := pair[0], pair[len(pair)-1]
		half = append(half, mark{table.Interval{GE: a.GE, LT: b.LT}, numbers{min(a.first, b.first), max(a.last, b.last)}})
	}
	return half
}

func (m marks) intervals() []table.Interval { return m.upTo(^uint64(0)) }

// upTo returns what the invalidations up to a number have left invalid, as a set.
func (m marks) upTo(number uint64) (set []table.Interval) {
	for _, one := range m {
		if one.first <= number {
			set = append(set, one.Interval)
		}
	}
	return joined(set)
}
