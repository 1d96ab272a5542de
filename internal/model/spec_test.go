package model

import (
	"math"
	"slices"
	"testing"
)

func TestIntervalsHoldTheirScores(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		in    Interval
		score float64
		want  bool
	}{
		{Interval{1, 2}, 1, true},
		{Interval{1, 2}, math.Nextafter(2, 1), true},
		{Interval{1, 2}, 2, false},
		{Interval{1, 2}, math.Nextafter(1, 0), false},
		{Interval{1, 1}, 1, false},
		{Interval{0, 1}, math.Copysign(0, -1), true},
		{Interval{1, inf}, inf, true},
		{Interval{inf, inf}, inf, true},
		{Interval{inf, inf}, math.MaxFloat64, false},
		{Interval{-inf, -inf}, -inf, false},
		{Everything(), -inf, true},
		{Everything(), inf, true},
	} {
		if got := c.in.Contains(c.score); got != c.want {
			t.Errorf("%v contains %v: %v, want %v", c.in, c.score, got, c.want)
		}
	}
}

// numbers is a table of the keys a to f with score 1, 2, 2, 2, 3 and 4 by "fixed".
func numbers() *Table[record] {
	tbl := newTable()
	for i, score := range []float64{1, 2, 2, 2, 3, 4} {
		tbl.Put(record{key: string(rune('a' + i)), fixed: score, now: float64(-i)})
	}
	return tbl
}

func TestG4_ReadsComeInTheOrderOfTheirSpec(t *testing.T) {
	even := func(r *record) bool { return int(r.now)%2 == 0 } // a, c and e
	for want, s := range map[string]Spec[record]{
		"a b c d e f": all("fixed"),
		"f e d c b a": all("now"),
		"b c d":       between("fixed", 2, 3),
		"":            between("fixed", 5, 9),
		"e f a":       {Index: "fixed", Intervals: []Interval{{3, 9}, {2, 2}, {0, 2}}},
		"a f e":       {Index: "fixed", Intervals: []Interval{{3, 9}, {0, 2}}, Reverse: true},
		"e d c b":     {Index: "fixed", Intervals: []Interval{{2, 4}}, Reverse: true},
		"e d":         {Index: "fixed", Intervals: []Interval{{2, 4}}, Reverse: true, Limit: 2},
		"b c":         {Index: "fixed", Intervals: []Interval{{2, 4}}, Limit: 2},
		"e c":         {Index: "fixed", Intervals: []Interval{Everything()}, Recheck: even, Reverse: true, Limit: 2},
		"a c e":       {Index: "fixed", Intervals: []Interval{Everything()}, Recheck: even, Limit: 5},
	} {
		wantKeys(t, "read", numbers().Read(s), want)
		if n := numbers().Count(s); n != len(numbers().Read(s)) {
			t.Errorf("count %d of %q", n, want)
		}
	}
}

func TestG4_KeysAreOrderedByTheirBytes(t *testing.T) {
	keys := []string{"", "\x00", "a", "a\x00", "b", "ä", "\xff"}
	tbl := newTable()
	for _, k := range slices.Backward(keys) {
		tbl.Put(record{key: k, fixed: math.Copysign(0, float64(len(k)%2)-0.5)}) // 0 and -0 are equal
	}
	var got []string
	for _, r := range tbl.Read(all("fixed")) {
		got = append(got, r.key)
	}
	if !slices.Equal(got, keys) {
		t.Errorf("got %q, want %q", got, keys)
	}
}

func TestG4_LookupAnswersInArgumentOrder(t *testing.T) {
	wantKeys(t, "looked up", numbers().Lookup("e", "x", "a", "e", "c", "a"), "e a c")
	wantKeys(t, "none", numbers().Lookup(), "")
}
