package scan

import (
	"context"
	"fmt"
	"time"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
)

// How long WaitFor pauses before it asks again: longer and longer.
const (
	firstPoll = time.Millisecond
	mostPoll  = 50 * time.Millisecond
)

// Position is what was done or shown last.
func (r *Reader) Position() layout.Position { return r.authority.Position() }

// WaitFor waits until all that is shown from then on has what p stands for. ErrLost: it never will.
func (r *Reader) WaitFor(ctx context.Context, p layout.Position) error {
	if p == (layout.Position{}) {
		return r.Alive(ctx)
	}
	for pause := firstPoll; ; pause = min(2*pause, mostPoll) {
		found, err := r.standing(ctx, p)
		switch {
		case err != nil:
			return err
		case found == reached:
			return nil
		case found == off:
			return fmt.Errorf("%w: the position is of another line", engine.ErrLost)
		}
		if err := r.pause(ctx, pause); err != nil {
			return err
		}
	}
}

// standing tells whether the table has come to p. That it never will is confirmed first, as a loss is.
func (r *Reader) standing(ctx context.Context, p layout.Position) (standing, error) {
	since, q := r.authority.Shown(), lineageRequest(r.client)
	a, err := r.answer(ctx, q)
	if err == nil && a.lineage.standing(p) == off {
		a, err = r.confirm(ctx, q, since)
	}
	if err != nil {
		return ahead, err
	}
	return a.lineage.standing(p), nil
}

// pause waits for d, or until ctx or the table ends; then it returns why.
func (r *Reader) pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return engine.Ended(ctx)
	case <-r.authority.Done():
		return r.authority.Err()
	}
}
