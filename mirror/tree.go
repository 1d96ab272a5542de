package mirror

import (
	"math"
	"sort"

	"github.com/tidwall/btree"

	"github.com/tablecache-go/tablecache/table"
)

// slot is where a cell lies in a tree: by order, then by encoded key. The order is a number, so that most comparisons do not touch the
// cell. A slot without a cell lies before all others of its order.
type slot[R any, K comparable] struct {
	order uint64
	cell  *cell[R, K]
}

// tree is an ordered set of cells. Copying it takes the same for one and for a million: what is changed then is copied by and by. Only
// the goroutine that changes a tree may copy it, for that writes to it; a tree that is changed no more may be read by all, for
// reading writes nothing.
type tree[R any, K comparable] = btree.BTreeG[slot[R, K]]

func newTree[R any, K comparable](f *form) *tree[R, K] {
	return btree.NewBTreeGOptions(func(a, b slot[R, K]) bool { return isBefore(f, a, b) }, btree.Options{NoLocks: true})
}

func isBefore[R any, K comparable](f *form, a, b slot[R, K]) bool {
	switch {
	case a.order != b.order:
		return a.order < b.order
	case a.cell == b.cell, b.cell == nil:
		return false
	case a.cell == nil:
		return true
	}
	return f.key(a.cell.text) < f.key(b.cell.text)
}

// orderOfKey is the beginning of a key: keys are in the order of these numbers, as far as they differ.
func orderOfKey(key string) uint64 { return number(key) }

// orderOf returns a number for a score, in the order of scores.
func orderOf(score float64) uint64 {
	if score == 0 {
		score = 0 // not -0, which is equal
	}
	bits := math.Float64bits(score)
	if bits>>63 != 0 {
		return ^bits
	}
	return bits | 1<<63
}

// span is an interval in such numbers: from low up to but not including high.
type span struct{ low, high uint64 }

func spanOf(i table.Interval) span {
	s := span{low: orderOf(i.GE), high: math.MaxUint64}
	if !math.IsInf(i.LT, 1) {
		s.high = orderOf(i.LT)
	}
	return s
}

// visitor is called for each cell of a walk, with the number of the interval that it lies in. It returns false to end the walk.
type visitor[R any, K comparable] = func(in int, e *cell[R, K]) bool

// ascend visits the cells of a span from a slot on, until visit returns false. Then it returns false, too.
func ascend[R any, K comparable](t *tree[R, K], from slot[R, K], s span, in int, visit visitor[R, K]) bool {
	goesOn := true
	t.Ascend(from, func(p slot[R, K]) bool {
		if p.order >= s.high {
			return false
		}
		goesOn = visit(in, p.cell)
		return goesOn
	})
	return goesOn
}

// descend is ascend the other way round.
func descend[R any, K comparable](t *tree[R, K], from slot[R, K], s span, in int, visit visitor[R, K]) bool {
	goesOn := true
	t.Descend(from, func(p slot[R, K]) bool {
		if p.order < s.low {
			return false
		}
		goesOn = visit(in, p.cell)
		return goesOn
	})
	return goesOn
}

// count returns how many cells lie in a span.
func count[R any, K comparable](t *tree[R, K], s span) int { return ahead(t, s.high) - ahead(t, s.low) }

// ahead returns how many cells have a lower order. It looks at O(log n) cells, each of which is found in O(log n).
func ahead[R any, K comparable](t *tree[R, K], order uint64) int {
	return sort.Search(t.Len(), func(i int) bool {
		p, _ := t.GetAt(i)
		return p.order >= order
	})
}
