package table

import (
	"context"
	"fmt"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// mostSwept is how many records one step of a deletion or discard by place looks at; of what is staged, and of what is merged.
const mostSwept = 1000

// sweepOf returns what is to be done to all records of a plan, which has no predicate.
func sweepOf[R any](p plan[R]) engine.Sweep {
	s := engine.Sweep{Index: p.query.Index, Most: mostSwept}
	for _, b := range p.query.Bounds {
		s.Bounds = append(s.Bounds, engine.Bytes(b.Min), engine.Bytes(b.Max))
	}
	return s
}

// byPlace makes one step of a deletion or discard by place.
type byPlace func(context.Context, engine.Sweep, *engine.Span) ([]engine.Verdict, error)

// through makes all steps, and returns how many records they have removed. Each step goes on behind the last record that the one before
// has looked at. With an error s stands where it goes on.
func (step byPlace) through(ctx context.Context, s *engine.Sweep, span *engine.Span) (n int, err error) {
	for {
		reply, err := step(ctx, *s, span)
		if err != nil {
			return n, err
		}
		swept, ok := scripts.ReadSwept(reply)
		if !ok {
			return n, fmt.Errorf("%w: the reply of a deletion is damaged", ErrLost)
		}
		n += swept.Removed
		if swept.Next.Interval == 0 {
			return n, nil
		}
		s.Place = swept.Next
	}
}

// deleteByPlace deletes all records of a plan that has no predicate.
func (t *Table[R, K]) deleteByPlace(ctx context.Context, p plan[R]) (int, error) {
	span, err := regularSpan(t.actor)(ctx)
	if err != nil {
		return 0, err
	}
	s := sweepOf(p)
	if s.All = p.isOfAll(); s.All {
		defer t.builds.Begin() // an index of no records is complete
	}
	return byPlace(t.actor.Sweep).through(ctx, &s, span)
}
