package table

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// Spec says which records a call is about: those whose score in Index lies in one of Intervals
// and for which Recheck, if any, holds; in the order of Intervals, inside one by score and then
// by encoded key. No intervals: no records.
type Spec[R any] struct {
	Index     string
	Intervals []Interval    // must not overlap; may be empty; at most 1,000
	Recheck   func(*R) bool // called in the caller's or the stream's goroutine; must not keep the record
	Reverse   bool          // exactly the reverse order
	Limit     int           // the first so many of the answer; 0 means all
}

// Where returns the spec with the predicate holds as well.
func (s Spec[R]) Where(holds func(*R) bool) Spec[R] {
	before := s.Recheck
	s.Recheck = holds
	if before != nil {
		s.Recheck = func(r *R) bool { return before(r) && holds(r) }
	}
	return s
}

// Reversed returns the spec with its order turned round.
func (s Spec[R]) Reversed() Spec[R] {
	s.Reverse = !s.Reverse
	return s
}

// Max returns the spec limited to its first n records; 0 means all.
func (s Spec[R]) Max(n int) Spec[R] {
	s.Limit = n
	return s
}

// maxIntervals bounds what one script looks at.
const maxIntervals = 1000

// plan is a checked spec, as the scripts want it.
type plan[R any] struct {
	index     int
	intervals []Interval
	bounds    []bound // the same in the order in which they are read; none is empty
	recheck   func(*R) bool
	reverse   bool
	limit     int
}

// bound is an interval in the words of ZRANGE BYSCORE.
type bound struct{ min, max string }

func (t *Table[R, K]) plan(s Spec[R]) (plan[R], error) {
	p := plan[R]{intervals: s.Intervals, recheck: s.Recheck, reverse: s.Reverse, limit: s.Limit}
	p.index = slices.IndexFunc(t.def.Indexes, func(x Index[R]) bool { return x.name == s.Index })
	if p.index < 0 {
		return p, fmt.Errorf("%w: %q of table %s", ErrUnknownIndex, s.Index, t.def.Name)
	}
	if s.Limit < 0 {
		return p, fmt.Errorf("%w: limit %d", ErrInvalidSpec, s.Limit)
	}
	if err := checkIntervals(s.Intervals); err != nil {
		return p, err
	}
	for _, i := range s.Intervals {
		if !i.Empty() {
			p.bounds = append(p.bounds, boundOf(i))
		}
	}
	if p.reverse {
		slices.Reverse(p.bounds)
	}
	return p, nil
}

func checkIntervals(given []Interval) error {
	if len(given) > maxIntervals {
		return fmt.Errorf("%w: %d intervals, at most %d", ErrInvalidSpec, len(given), maxIntervals)
	}
	for _, i := range given {
		if !i.valid() {
			return fmt.Errorf("%w: interval %v", ErrInvalidSpec, i)
		}
	}
	if len(given) < 2 {
		return nil
	}
	sorted := slices.DeleteFunc(slices.Clone(given), Interval.Empty)
	slices.SortFunc(sorted, func(a, b Interval) int { return cmp.Compare(a.GE, b.GE) })
	for k := 1; k < len(sorted); k++ {
		if sorted[k-1].Intersects(sorted[k]) {
			return fmt.Errorf("%w: intervals %v and %v overlap", ErrInvalidSpec, sorted[k-1], sorted[k])
		}
	}
	return nil
}

func boundOf(i Interval) bound {
	b := bound{min: scoreText(i.GE), max: "(" + scoreText(i.LT)}
	if math.IsInf(i.LT, 1) {
		b.max = "+inf"
	}
	return b
}

func scoreText(f float64) string { return string(appendScore(nil, f)) }

// appendScore writes the shortest text that Redis reads back as exactly f.
func appendScore(dst []byte, f float64) []byte {
	if n := int64(f); float64(n) == f && n != 0 && -mostExact < n && n < mostExact { // many are: times, ranks
		return strconv.AppendInt(dst, n, 10)
	}
	return strconv.AppendFloat(dst, f, 'g', -1, 64)
}

// mostExact bounds the integers that a float64 tells apart; of a larger one the digits would say more than the score does.
const mostExact = 1 << 53

func parseScore(text string) (float64, error) { return strconv.ParseFloat(text, 64) }
