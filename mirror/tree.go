package mirror

import (
	"math"
	"sort"

	"github.com/tidwall/btree"

	"github.com/tablecache-go/tablecache/table"
)

// place is where an entry lies in a tree: by rank, then by encoded key. The rank is a number, so that most comparisons do not touch the
// entry. A place without an entry lies before all others of its rank.
type place[R any, K comparable] struct {
	rank  uint64
	entry *entry[R, K]
}

// tree is an ordered set of entries. Copying it takes the same for one and for a million: what is changed then is copied by and by. Only
// the goroutine that changes a tree may copy it, for that writes to it; a tree that is changed no more may be read by all, for
// reading writes nothing.
type tree[R any, K comparable] = btree.BTreeG[place[R, K]]

func newTree[R any, K comparable](f *form) *tree[R, K] {
	return btree.NewBTreeGOptions(func(a, b place[R, K]) bool { return isBefore(f, a, b) }, btree.Options{NoLocks: true})
}

func isBefore[R any, K comparable](f *form, a, b place[R, K]) bool {
	switch {
	case a.rank != b.rank:
		return a.rank < b.rank
	case a.entry == b.entry, b.entry == nil:
		return false
	case a.entry == nil:
		return true
	}
	return f.key(a.entry.text) < f.key(b.entry.text)
}

// rankOfKey is the beginning of a key: keys are in the order of their ranks, as far as these differ.
func rankOfKey(key string) uint64 { return number(key) }

// rankOf returns a number for a score, in the order of scores.
func rankOf(score float64) uint64 {
	if score == 0 {
		score = 0 // not -0, which is equal
	}
	bits := math.Float64bits(score)
	if bits>>63 != 0 {
		return ^bits
	}
	return bits | 1<<63
}

// span is an interval in ranks: from low up to but not including high.
type span struct{ low, high uint64 }

func spanOf(i table.Interval) span {
	s := span{low: rankOf(i.GE), high: math.MaxUint64}
	if !math.IsInf(i.LT, 1) {
		s.high = rankOf(i.LT)
	}
	return s
}

// ascend visits the entries of a span from a place on, until visit returns false. Then it returns false, too.
func ascend[R any, K comparable](t *tree[R, K], from place[R, K], s span, visit func(*entry[R, K]) bool) bool {
	goesOn := true
	t.Ascend(from, func(p place[R, K]) bool {
		if p.rank >= s.high {
			return false
		}
		goesOn = visit(p.entry)
		return goesOn
	})
	return goesOn
}

// descend is ascend the other way round.
func descend[R any, K comparable](t *tree[R, K], from place[R, K], s span, visit func(*entry[R, K]) bool) bool {
	goesOn := true
	t.Descend(from, func(p place[R, K]) bool {
		if p.rank < s.low {
			return false
		}
		goesOn = visit(p.entry)
		return goesOn
	})
	return goesOn
}

// count returns how many entries lie in a span.
func count[R any, K comparable](t *tree[R, K], s span) int { return ahead(t, s.high) - ahead(t, s.low) }

// ahead returns how many entries have a lower rank. It looks at O(log n) entries, each of which is found in O(log n).
func ahead[R any, K comparable](t *tree[R, K], rank uint64) int {
	return sort.Search(t.Len(), func(i int) bool {
		p, _ := t.GetAt(i)
		return p.rank >= rank
	})
}
