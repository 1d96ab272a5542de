package table_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/tablecache-go/tablecache/table"
)

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

// unread is a spec of which no record need be read to delete or discard it, and not of everything.
func (d dice) unread() table.Spec[item] {
	s := d.spec()
	for slices.Contains(s.Intervals, table.Everything()) {
		s = d.spec()
	}
	s.Recheck, s.Limit = nil, 0
	return s
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
