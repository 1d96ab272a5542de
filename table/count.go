package table

import (
	"context"
	"errors"
)

// Count returns how many records s has at one moment. Without a predicate nothing is read,
// unless a merge is being folded.
func (t *Table[R, K]) Count(ctx context.Context, s Spec[R]) (int, error) {
	p, err := t.plan(s)
	if err != nil {
		return 0, t.errorf("count", err)
	}
	n, err := t.count(ctx, p)
	return n, t.errorf("count", err)
}

func (t *Table[R, K]) count(ctx context.Context, p plan[R]) (int, error) {
	if p.recheck != nil {
		return t.countRecords(ctx, p)
	}
	n, err := t.countScores(ctx, p)
	if n < 0 && err == nil {
		n, err = t.countRows(ctx, p)
	}
	if p.limit > 0 {
		n = min(n, p.limit)
	}
	return n, err
}

func (t *Table[R, K]) countScores(ctx context.Context, p plan[R]) (int, error) {
	args := append(t.wire.command(&t.wire.scripts.count, 1+2*len(p.bounds)), p.index+1)
	for i := range p.bounds {
		args = append(args, &p.bounds[i].min, &p.bounds[i].max)
	}
	acked := t.actor.Acked()
	a, err := t.reader.ask(ctx, args)
	if err == nil {
		err = t.check(a, acked)
	}
	if err != nil {
		return 0, err
	}
	n := a.rest.integer()
	return n, a.rest.err
}

func (t *Table[R, K]) countRows(ctx context.Context, p plan[R]) (n int, err error) {
	never := func(*page) bool { return false }
	err = t.pages(ctx, p, never, func(pg *page) error {
		n += len(pg.rows)
		return nil
	})
	return n, err
}

func (t *Table[R, K]) countRecords(ctx context.Context, p plan[R]) (n int, err error) {
	var bad error
	err = t.read(ctx, p, func(_ R, err error) bool {
		if err != nil {
			bad = err
			return false
		}
		n++
		return true
	})
	return n, errors.Join(err, bad)
}
