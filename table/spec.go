package table

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/scan"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// Spec says which records a call is about: those whose score in Index lies in one of Intervals
// and for which Recheck, if there is one, holds. They come in the order of Intervals, within one by
// score and then by encoded key. Without intervals there are no records.
type Spec[R any] struct {
	Index     string
	Intervals []Interval    // must not overlap; may be empty; at most 1,000
	Recheck   func(*R) bool // called in the caller's or the stream's goroutine; must not keep the record
	Reverse   bool          // exactly the reverse order
	Limit     int           // only the first so many records; 0 means all
}

// Where returns the spec with one more predicate: holds must hold, too.
func (s Spec[R]) Where(holds func(*R) bool) Spec[R] {
	before := s.Recheck
	s.Recheck = holds
	if before != nil {
		s.Recheck = func(r *R) bool { return before(r) && holds(r) }
	}
	return s
}

// Reversed returns the spec with its order reversed.
func (s Spec[R]) Reversed() Spec[R] {
	s.Reverse = !s.Reverse
	return s
}

// Max returns the spec limited to its first n records; 0 means all.
func (s Spec[R]) Max(n int) Spec[R] {
	s.Limit = n
	return s
}

// maxIntervals bounds the intervals of a spec, all of which one script may have to read.
const maxIntervals = 1000

// plan is a checked spec.
type plan[R any] struct {
	query     scan.Query
	intervals []Interval
	recheck   func(*R) bool
	limit     int // of records for which recheck holds; 0: none
}

func planOf[R any](indexes []Index[R], s Spec[R], scope scripts.Scope) (p plan[R], err error) {
	index := slices.IndexFunc(indexes, func(x Index[R]) bool { return x.name == s.Index })
	if index < 0 {
		return p, fmt.Errorf("%w: %q", ErrUnknownIndex, s.Index)
	}
	if s.Limit < 0 {
		return p, fmt.Errorf("%w: limit %d: negative", ErrInvalidSpec, s.Limit)
	}
	if err := checkIntervals(s.Intervals); err != nil {
		return p, err
	}
	p = plan[R]{intervals: s.Intervals, recheck: s.Recheck, limit: s.Limit}
	p.query = scan.Query{Scope: scope, Index: index, Bounds: boundsOf(s), Reverse: s.Reverse}
	if s.Recheck == nil {
		p.query.Limit = s.Limit
	}
	return p, nil
}

// isOfAll tells whether the plan is of every record, whatever it holds.
func (p *plan[R]) isOfAll() bool {
	if p.recheck != nil || p.limit > 0 {
		return false
	}
	end := math.Inf(-1)
	for _, i := range slices.SortedFunc(slices.Values(p.intervals), func(a, b Interval) int { return cmp.Compare(a.GE, b.GE) }) {
		if i.GE > end {
			return false
		}
		end = max(end, i.LT)
	}
	return math.IsInf(end, 1)
}

// boundsOf returns the intervals that are not empty, in the order in which they are read.
func boundsOf[R any](s Spec[R]) (bounds []layout.Bound) {
	for _, i := range s.Intervals {
		if !i.Empty() {
			bounds = append(bounds, layout.BoundOf(i.GE, i.LT))
		}
	}
	if s.Reverse {
		slices.Reverse(bounds)
	}
	return bounds
}

func checkIntervals(given []Interval) error {
	if len(given) > maxIntervals {
		return fmt.Errorf("%w: %d intervals, at most %d", ErrInvalidSpec, len(given), maxIntervals)
	}
	for _, i := range given {
		if wrong := i.wrong(); wrong != "" {
			return fmt.Errorf("%w: interval %v: %s", ErrInvalidSpec, i, wrong)
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
