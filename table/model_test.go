package table_test

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/tablecache-go/tablecache/table"
)

// model is what a table of items must be like, in a few maps.
type model struct {
	merged  map[int64]item
	staged  map[int64]*item // nil: discarded
	merging bool
}

func newModel() *model {
	return &model{merged: make(map[int64]item), staged: make(map[int64]*item)}
}

// staged view: what a merge now would show.
func (m *model) after() map[int64]item {
	all := make(map[int64]item)
	for id, i := range m.merged {
		all[id] = i
	}
	for id, i := range m.staged {
		delete(all, id)
		if i != nil {
			all[id] = *i
		}
	}
	return all
}

// visible is what readers see.
func (m *model) visible() map[int64]item {
	if m.merging {
		return m.after()
	}
	return m.merged
}

func (m *model) fold() {
	m.merged, m.staged, m.merging = m.after(), make(map[int64]*item), false
}

// scoreOf is the score by which an index finds an item.
func scoreOf(index string, i item) float64 {
	if index == "at" {
		return i.At
	}
	return i.Rank
}

// answer is what a spec says of items: intervals in their order, in each by score and key bytes.
func answer(from map[int64]item, s table.Spec[item]) (found []item) {
	for _, in := range s.Intervals {
		var part []item
		for _, i := range from {
			if f := scoreOf(s.Index, i); f >= in.GE && (f < in.LT || f == inf && in.LT == inf) {
				part = append(part, i)
			}
		}
		slices.SortFunc(part, func(a, b item) int {
			return cmp.Or(cmp.Compare(scoreOf(s.Index, a), scoreOf(s.Index, b)), cmp.Compare(rawKey(a.ID), rawKey(b.ID)))
		})
		found = append(found, part...)
	}
	if s.Reverse {
		slices.Reverse(found)
	}
	if s.Recheck != nil {
		found = slices.DeleteFunc(found, func(i item) bool { return !s.Recheck(&i) })
	}
	if s.Limit > 0 && len(found) > s.Limit {
		found = found[:s.Limit]
	}
	return found
}

// notable are scores beside which a mistake would show, in order.
var notable = []float64{-inf, -math.MaxFloat64, -(1<<53 + 2), -(1 << 53), -1.5, -math.SmallestNonzeroFloat64, 0,
	math.SmallestNonzeroFloat64, 0.1, 1, math.Nextafter(1, 2), 1<<53 - 1, 1 << 53, 1<<53 + 2, math.MaxFloat64, inf}

// dice draws what a test needs.
type dice struct{ *rand.Rand }

func newDice(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 0))} }

func (d dice) score() float64 {
	f := notable[d.IntN(len(notable))]
	if f == 0 && d.IntN(2) == 0 {
		return math.Copysign(0, -1)
	}
	return f
}

// id is a key, some of them negative: by their bytes those come last.
func (d dice) id() int64 { return int64(d.IntN(90) - 20) }

func (d dice) items() []item {
	made := make([]item, d.IntN(25))
	for n := range made {
		made[n] = item{ID: d.id(), At: d.score(), Rank: float64(d.IntN(3)), Name: "v" + strconv.Itoa(d.IntN(1000)), Tags: []string{}}
		if d.IntN(2) == 0 {
			note := made[n].Name
			made[n].Note = &note
		}
	}
	return made
}

// intervals are some between notable scores that do not overlap, in any order.
func (d dice) intervals() (some []table.Interval) {
	if d.IntN(4) == 0 {
		return []table.Interval{table.Everything()}
	}
	for n := d.IntN(4); n < len(notable); n += 1 + d.IntN(5) {
		switch from := notable[n]; d.IntN(3) {
		case 0:
			some = append(some, table.Only(from))
		case 1:
			some = append(some, table.Interval{GE: from, LT: from}) // empty, except at +Inf
		default:
			n = min(n+1+d.IntN(4), len(notable)-1)
			some = append(some, table.Interval{GE: from, LT: notable[n]})
		}
		if some[len(some)-1].LT == inf {
			break
		}
	}
	d.Shuffle(len(some), func(a, b int) { some[a], some[b] = some[b], some[a] })
	return some
}

func (d dice) spec() table.Spec[item] {
	s := table.Spec[item]{Index: "at", Intervals: d.intervals(), Reverse: d.IntN(2) == 0}
	if d.IntN(3) == 0 {
		s.Index, s.Intervals = "rank", []table.Interval{{GE: 1, LT: 5}, {GE: 0, LT: 1}}
	}
	if d.IntN(3) == 0 {
		of := int64(2 + d.IntN(4))
		s.Recheck = func(i *item) bool { return i.ID%of == 0 }
	}
	if d.IntN(2) == 0 {
		s.Limit = 1 + d.IntN(30)
	}
	return s
}
