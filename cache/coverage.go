package cache

import (
	"cmp"
	"slices"
	"time"

	"github.com/tablecache-go/tablecache/table"
)

// Coverage is what a table holds of its source: all records whose score in Index lies in one of the spans. They are sorted and do not
// overlap; spans that touch differ in what is known of them.
type Coverage struct {
	Index string
	Spans []Span
}

// Span is an interval that is covered.
type Span struct {
	table.Interval
	Invalid bool      // it was invalidated since, or nobody knows whether it was
	Loaded  time.Time // when its fetch began
}

// String returns the interval, when its fetch began, and whether it is invalid.
func (s Span) String() string {
	text := s.Interval.String() + " of " + s.Loaded.Format(time.RFC3339Nano)
	if s.Invalid {
		text += ", invalid"
	}
	return text
}

// intervals returns what is covered, as a set.
func (c Coverage) intervals() []table.Interval {
	set := make([]table.Interval, len(c.Spans))
	for i, s := range c.Spans {
		set[i] = s.Interval
	}
	return joined(set)
}

// invalid returns what is invalid, as a set.
func (c Coverage) invalid() []table.Interval {
	return setWhere(c.Spans, func(s *Span) bool { return s.Invalid })
}

// unloaded returns what was never loaded, but lies between what was, as a set.
func (c Coverage) unloaded() []table.Interval {
	return setWhere(c.Spans, func(s *Span) bool { return s.Loaded.IsZero() })
}

// setWhere returns what lies in those of sorted spans for which something holds, as a set.
func setWhere(spans []Span, holds func(*Span) bool) (set []table.Interval) {
	for i := range spans {
		if holds(&spans[i]) {
			set = append(set, spans[i].Interval)
		}
	}
	return joined(set)
}

// isEverything tells whether every score is covered.
func (c Coverage) isEverything() bool {
	set := c.intervals()
	return len(set) == 1 && set[0] == table.Everything()
}

// touched returns the spans that a spec is answered from, or ErrNotCovered.
func (c Coverage) touched(index string, in []table.Interval) ([]Span, error) {
	if index != c.Index {
		if !c.isEverything() {
			return nil, ErrNotCovered
		}
		return c.Spans, nil
	}
	if len(in) == 1 { // as it nearly always is
		return c.touchedBy(in[0])
	}
	var touched []Span
	for _, i := range setOf(in...) {
		spans, err := c.touchedBy(i)
		if err != nil {
			return nil, err
		}
		touched = append(touched, spans...)
	}
	return touched, nil
}

// touchedBy returns the spans that one interval lies in.
func (c Coverage) touchedBy(i table.Interval) ([]Span, error) {
	if i.Empty() {
		return nil, nil
	}
	i = expressible(i)
	first := c.behind(i.GE)
	for end, at := first, i.GE; end < len(c.Spans) && c.Spans[end].GE <= at; end++ {
		if at = c.Spans[end].LT; at >= i.LT {
			return c.Spans[first : end+1], nil
		}
	}
	return nil, ErrNotCovered
}

// behind returns the first span that ends behind a score.
func (c Coverage) behind(score float64) int {
	at, _ := slices.BinarySearchFunc(c.Spans, score, func(s Span, score float64) int {
		if s.LT <= score {
			return -1
		}
		return 1
	})
	return at
}

// inside returns what of the spans lies in a set.
func inside(spans []Span, set []table.Interval) (kept []Span) {
	for _, s := range spans {
		for _, i := range within([]table.Interval{s.Interval}, set) {
			kept = append(kept, Span{i, s.Invalid, s.Loaded})
		}
	}
	return kept
}

// outside returns what of the spans does not lie in a set.
func outside(spans []Span, set []table.Interval) (kept []Span) {
	for _, s := range spans {
		for _, i := range without([]table.Interval{s.Interval}, set) {
			kept = append(kept, Span{i, s.Invalid, s.Loaded})
		}
	}
	return kept
}

// marked returns the spans with a set of them invalid, and all else valid.
func marked(spans []Span, invalid []table.Interval) []Span {
	all := outside(spans, invalid)
	for i := range all {
		all[i].Invalid = false
	}
	for _, s := range inside(spans, invalid) {
		s.Invalid = true
		all = append(all, s)
	}
	return tidy(all)
}

// loaded returns the spans of what was just loaded.
func loaded(set []table.Interval, at time.Time) []Span {
	spans := make([]Span, len(set))
	for i := range set {
		spans[i] = Span{Interval: set[i], Loaded: at}
	}
	return spans
}

// tidy sorts spans, and joins those that touch and do not differ.
func tidy(spans []Span) []Span {
	slices.SortFunc(spans, func(a, b Span) int { return cmp.Compare(a.GE, b.GE) })
	return joinedIf(spans, func(a, b Span) bool {
		return a.LT == b.GE && a.Invalid == b.Invalid && a.Loaded.Equal(b.Loaded)
	})
}

// joinedIf joins neighbours of which may says so. What is joined is as old, and as invalid, as the worse of both; what lies between
// them was never loaded.
func joinedIf(spans []Span, may func(a, b Span) bool) []Span {
	out := spans[:0]
	for _, s := range spans {
		last := len(out) - 1
		if last < 0 || !may(out[last], s) {
			out = append(out, s)
			continue
		}
		out[last] = hull(out[last], s)
	}
	return out
}

func hull(a, b Span) Span {
	h := Span{Interval: table.Interval{GE: a.GE, LT: b.LT}, Invalid: a.Invalid || b.Invalid, Loaded: a.Loaded}
	if b.Loaded.Before(h.Loaded) {
		h.Loaded = b.Loaded
	}
	if a.LT < b.GE {
		h.Invalid, h.Loaded = true, time.Time{}
	}
	return h
}

// atMost returns no more than n spans: neighbours are joined, those first that differ in their age alone, and then towards invalid.
func atMost(n int, spans []Span) []Span {
	for _, may := range []func(a, b Span) bool{
		func(a, b Span) bool { return a.LT == b.GE && a.Invalid == b.Invalid },
		func(a, b Span) bool { return a.LT == b.GE },
		func(Span, Span) bool { return true },
	} {
		for len(spans) > n {
			before, left := len(spans), len(spans)-n
			paired := false
			spans = joinedIf(spans, func(a, b Span) bool {
				paired = !paired && left > 0 && may(a, b)
				if paired {
					left--
				}
				return paired
			})
			if len(spans) == before {
				break
			}
		}
	}
	return spans
}
