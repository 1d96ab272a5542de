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

// plan is a checked spec, and what is to be read for it.
type plan[R any] struct {
	Query
	query     scan.Query
	intervals []Interval // as they were given
	recheck   func(*R) bool
	limit     int // of records for which recheck holds; 0: none
}

func (c *coder[R, K]) planOf(s Spec[R], scope scripts.Scope) (plan[R], error) {
	q, err := c.def.Query(s)
	if why := c.missing[s.Index]; why != nil {
		err = why
	}
	if err != nil {
		return plan[R]{}, err
	}
	p := plan[R]{Query: q, intervals: s.Intervals, recheck: s.Recheck, limit: s.Limit}
	p.query = scan.Query{Scope: scope, Index: q.Index, Bounds: boundsOf(q.Intervals), Reverse: s.Reverse}
	if s.Recheck == nil {
		p.query.Limit = s.Limit
	}
	return p, nil
}

// planToMark is planOf for what deletes or discards the records. That takes no condition.
func (c *coder[R, K]) planToMark(s Spec[R], scope scripts.Scope) (plan[R], error) {
	p, err := c.planOf(s, scope)
	if err == nil && p.Note != (NoteVersion{}) {
		return plan[R]{}, fmt.Errorf("%w: a condition on the note, which only reads take", ErrInvalidSpec)
	}
	return p, err
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

func boundsOf(intervals []Interval) (bounds []layout.Bound) {
	for _, i := range intervals {
		bounds = append(bounds, layout.BoundOf(i.GE, i.LT))
	}
	return bounds
}
