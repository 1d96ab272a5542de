package table

import (
	"context"
	"fmt"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// mostSwept is how many records one step of a deletion by place deletes.
const mostSwept = 1000

// sweepOf returns the deletion of all records of a plan, which has no predicate.
func sweepOf[R any](p plan[R]) engine.Sweep {
	s := engine.Sweep{Index: p.query.Index, All: p.isOfAll(), Most: mostSwept}
	for _, b := range p.query.Bounds {
		s.Bounds = append(s.Bounds, engine.Bytes(b.Min), engine.Bytes(b.Max))
	}
	return s
}

// sweepByPlace deletes records by where they lie, step by step. Each step goes on behind the last record that was deleted.
func (o *owner) sweepByPlace(ctx context.Context, s engine.Sweep) (n int, err error) {
	span, err := regularSpan(o.actor)(ctx)
	if err != nil {
		return 0, err
	}
	for {
		reply, err := o.actor.Sweep(ctx, s, span)
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
