package table_test

import (
	"errors"
	"math"
	"testing"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

var inf, nan = math.Inf(1), math.NaN()

type badSpec struct {
	name string
	spec table.Spec[item]
	want error
}

// badSpecs are refused by every call that takes a spec.
func badSpecs() []badSpec {
	at := func(intervals ...table.Interval) table.Spec[item] {
		return table.Spec[item]{Index: "at", Intervals: intervals}
	}
	many := make([]table.Interval, 1001)
	for i := range many {
		many[i] = table.Only(float64(i))
	}
	return []badSpec{
		{"zero spec", table.Spec[item]{}, table.ErrUnknownIndex},
		{"unknown index", table.Spec[item]{Index: "At", Intervals: at(table.Everything()).Intervals}, table.ErrUnknownIndex},
		{"reversed", at(table.Interval{GE: 2, LT: 1}), table.ErrInvalidSpec},
		{"reversed infinities", at(table.Interval{GE: inf, LT: -inf}), table.ErrInvalidSpec},
		{"GE NaN", at(table.Interval{GE: nan, LT: 1}), table.ErrInvalidSpec},
		{"LT NaN", at(table.Interval{GE: 1, LT: nan}), table.ErrInvalidSpec},
		{"both NaN", at(table.Only(nan)), table.ErrInvalidSpec},
		{"overlap", at(table.Interval{GE: 0, LT: 2}, table.Interval{GE: 1, LT: 3}), table.ErrInvalidSpec},
		{"overlap, not in order", at(table.Interval{GE: 5, LT: 9}, table.Interval{GE: 0, LT: 1}, table.Interval{GE: 6, LT: 7}), table.ErrInvalidSpec},
		{"twins", at(table.Only(1), table.Only(1)), table.ErrInvalidSpec},
		{"overlap at +Inf", at(table.Everything(), table.Only(inf)), table.ErrInvalidSpec},
		{"overlap at zero", at(table.Only(0), table.Only(math.Copysign(0, -1))), table.ErrInvalidSpec},
		{"too many", at(many...), table.ErrInvalidSpec},
		{"negative limit", at(table.Everything()).Max(-1), table.ErrInvalidSpec},
	}
}

func TestReadsRefuseABadSpecBeforeRedisIsAsked(t *testing.T) {
	t.Parallel()
	rdb, sent := counted(t)
	tbl := openOn(t, rdb, redistest.Prefix(t))
	before := sent.n.Load()
	for _, c := range badSpecs() {
		_, count := tbl.Count(t.Context(), c.spec)
		_, first := tbl.First(t.Context(), c.spec)
		_, _, page := tbl.Page(t.Context(), c.spec, "", 1)
		stream := tbl.Stream(t.Context(), c.spec)
		for range stream.C() {
			t.Errorf("%s: a record", c.name)
		}
		for verb, err := range map[string]error{
			"Count": count, "First": first, "Page": page, "Stream": stream.Err(), "Records": lastError(tbl.Records(t.Context(), c.spec)),
		} {
			if !errors.Is(err, c.want) {
				t.Errorf("%s: %s: got %v, want %v", c.name, verb, err, c.want)
			}
		}
	}
	if n := sent.n.Load(); n != before {
		t.Errorf("%d commands were sent", n-before)
	}
}

func TestIntervalsThatTouchDoNotOverlap(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, item{ID: 1, At: -inf}, item{ID: 2, At: 0}, item{ID: 3, At: 5}, item{ID: 4, At: inf})
	for _, intervals := range [][]table.Interval{
		{{GE: 0, LT: inf}, {GE: -inf, LT: 0}},
		{table.Only(inf), table.Only(-inf), {GE: 0, LT: math.MaxFloat64}},
		{{GE: 3, LT: 3}, {GE: 0, LT: 6}, {GE: 4, LT: 4}}, // what is empty overlaps nothing
	} {
		s := table.Spec[item]{Index: "at", Intervals: intervals}
		want := make([]int64, 0, 4)
		for _, i := range intervals {
			for id, at := range []float64{-inf, 0, 5, inf} {
				if i.Contains(at) {
					want = append(want, int64(id+1))
				}
			}
		}
		wantIDs(t, tbl, s, want...)
	}
}

func TestInterval(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		i       table.Interval
		text    string
		empty   bool
		in, out []float64
	}{
		{table.Interval{GE: 1, LT: 3}, "[1, 3)", false, []float64{1, 2, math.Nextafter(3, 0)}, []float64{3, math.Nextafter(1, 0), nan, inf, -inf}},
		{table.Everything(), "[-Inf, +Inf]", false, []float64{-inf, 0, math.MaxFloat64, inf}, []float64{nan}},
		{table.Only(7), "[7, 7.000000000000001)", false, []float64{7}, []float64{math.Nextafter(7, 0), math.Nextafter(7, 8)}},
		{table.Only(0), "[0, 5e-324)", false, []float64{0, math.Copysign(0, -1)}, []float64{math.SmallestNonzeroFloat64}},
		{table.Only(inf), "[+Inf, +Inf]", false, []float64{inf}, []float64{math.MaxFloat64, nan}},
		{table.Only(-inf), "[-Inf, -1.7976931348623157e+308)", false, []float64{-inf}, []float64{-math.MaxFloat64}},
		{table.Only(1 << 53), "[9.007199254740992e+15, 9.007199254740994e+15)", false, []float64{1 << 53}, []float64{1<<53 - 1, 1<<53 + 2}},
		{table.Interval{GE: 3, LT: 3}, "[3, 3)", true, nil, []float64{3}},
		{table.Interval{GE: 3, LT: 1}, "[3, 1)", true, nil, []float64{1, 2, 3}},
		{table.Interval{GE: -inf, LT: -inf}, "[-Inf, -Inf)", true, nil, []float64{-inf}},
		{table.Interval{GE: inf, LT: -inf}, "[+Inf, -Inf)", true, nil, []float64{inf, -inf, 0}},
		{table.Only(nan), "[NaN, NaN)", true, nil, []float64{nan, 0, inf}},
	} {
		if c.i.String() != c.text || c.i.Empty() != c.empty {
			t.Errorf("%v: empty %v, want %s, %v", c.i, c.i.Empty(), c.text, c.empty)
		}
		for _, f := range c.in {
			if !c.i.Contains(f) {
				t.Errorf("%v does not contain %v", c.i, f)
			}
		}
		for _, f := range c.out {
			if c.i.Contains(f) {
				t.Errorf("%v contains %v", c.i, f)
			}
		}
	}
}

// All pairs of intervals between a few scores, so close together that they stand for all scores.
func TestIntervalsAgreeWithTheScoresTheyHold(t *testing.T) {
	t.Parallel()
	scores := []float64{-inf, -math.MaxFloat64, -1, 0, 1, math.MaxFloat64, inf}
	var all []table.Interval
	for _, ge := range scores {
		for _, lt := range scores {
			all = append(all, table.Interval{GE: ge, LT: lt})
		}
	}
	for _, a := range all {
		for _, b := range all {
			common, missing := false, false
			for _, f := range scores {
				common = common || a.Contains(f) && b.Contains(f)
				missing = missing || b.Contains(f) && !a.Contains(f)
			}
			if a.Intersects(b) != common || a.Covers(b) == missing {
				t.Errorf("%v and %v: intersects %v, covers %v", a, b, a.Intersects(b), a.Covers(b))
			}
		}
	}
}

func TestSpecHelpers(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 12)...)
	even := func(i *item) bool { return i.ID%2 == 0 }
	small := func(i *item) bool { return i.ID < 8 }
	s := tbl.All("rank").Where(even)
	wantIDs(t, tbl, s, 0, 6, 4, 10, 2, 8)
	wantIDs(t, tbl, s.Where(small), 0, 6, 4, 2)
	wantIDs(t, tbl, s.Reversed(), 8, 2, 10, 4, 6, 0)
	wantIDs(t, tbl, s.Reversed().Reversed().Max(4), 0, 6, 4, 10)
	wantIDs(t, tbl, s.Max(1).Max(0).Max(2), 0, 6)
	wantIDs(t, tbl, s, 0, 6, 4, 10, 2, 8) // a spec is a value: none of that has changed it
}

// Scores next to 2^53 lie in the intervals that they belong to.
func TestU15_ScoresNextToTwoToThe53(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	scores := []float64{1<<53 - 2, 1<<53 - 1, 1 << 53, 1<<53 + 2, 1<<53 + 4, 1<<60 + 256, 0.3, math.Nextafter(0.3, 1)}
	for n, f := range scores {
		put(t, tbl, item{ID: int64(n), At: f})
	}
	for n, f := range scores[:6] {
		wantIDs(t, tbl, tbl.Range("at", f, math.Nextafter(f, inf)), int64(n))
		wantIDs(t, tbl, table.Spec[item]{Index: "at", Intervals: []table.Interval{table.Only(f)}}, int64(n))
	}
	wantIDs(t, tbl, tbl.Range("at", 0.3, 1), 6, 7)
	wantIDs(t, tbl, tbl.Range("at", math.Nextafter(0.3, 1), 1), 7)
}

// A record with score +Inf can be reached.
func TestU16_InfiniteScoresAreReached(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, item{ID: 1, At: inf}, item{ID: 2, At: -inf}, item{ID: 3, At: math.MaxFloat64})
	wantIDs(t, tbl, tbl.All("at"), 2, 3, 1)
	wantIDs(t, tbl, tbl.Range("at", 0, inf), 3, 1)
	for id, f := range map[int64]float64{1: inf, 2: -inf} {
		wantIDs(t, tbl, table.Spec[item]{Index: "at", Intervals: []table.Interval{table.Only(f)}}, id)
	}
}
