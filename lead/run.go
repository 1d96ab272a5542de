package lead

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"github.com/tablecache-go/tablecache/table"
)

// Run waits until this process is the one that owns the table which def describes, opens the table, and calls work with it; where that
// ends, it waits for its next turn. It returns when ctx ends (ctx's error), when work returns of its own accord (what it returned, nil
// too), or with an error of opening the table that waiting does not cure: ErrInvalidDefinition, ErrSchemaMismatch, ErrUnsafeClient,
// ErrLost, a right that is missing. That Redis cannot be reached is waited out. rdb stays the caller's.
//
// The context of work ends with ctx, when the ownership ends (see table.Table.Done), and when the lease may be over: by a timer of this
// process, counted from before the last successful renewal was sent. context.Cause tells which. Run waits for work to return, which
// should be soon, and then closes the table, which gives up the lease as its last step; meanwhile this process stays the owner if it can. What work returns after its
// context has ended is not of its own accord: it is logged, and Run goes on. A panic of work is an ErrPanic of its own accord, and its
// stack is logged. The table must not be used after work has returned.
func Run[R any, K comparable](ctx context.Context, rdb redis.UniversalClient, def table.Definition[R, K],
	work func(ctx context.Context, t *table.Table[R, K]) error, opts ...Option) error {
	o := resolve(opts)
	c := &candidate{
		length: o.lease,
		logger: o.logger.With(zap.String("table", def.Name)),
		stored: func(ctx context.Context) (table.Lease, error) { return table.StoredLease(ctx, rdb, def.Name) },
		open: func(ctx context.Context) (term, error) {
			t, err := table.Open(ctx, rdb, def, o.open()...)
			if err != nil {
				return nil, err
			}
			return t, nil
		},
		work: func(ctx context.Context, t term) error { return work(ctx, t.(*table.Table[R, K])) },
	}
	end := c.run(ctx)
	if end.own {
		return end.err
	}
	return fmt.Errorf("table %s: lead: %w", def.Name, end.err)
}

// candidate is what of a process that is or wants to be the owner does not depend on the type of records.
type candidate struct {
	length time.Duration
	logger *zap.Logger
	stored func(context.Context) (table.Lease, error)
	open   func(context.Context) (term, error)
	work   func(context.Context, term) error
	watch  watch
}

// ending is why something has ended.
type ending struct {
	err error
	own bool // work has returned of its own accord
}

func (c *candidate) run(ctx context.Context) ending {
	for {
		t, err := c.stand(ctx)
		if err != nil {
			return ending{err: err}
		}
		end := c.serve(ctx, t)
		switch {
		case end.own:
			return end
		case ctx.Err() != nil:
			return ending{err: ctx.Err()}
		case errors.Is(end.err, table.ErrFenced): // whoever has taken the table over is to keep it
			if err := sleep(ctx, c.length); err != nil {
				return ending{err: err}
			}
		}
	}
}

// How long a candidate pauses: between two looks at a lease, and, longer and longer, after errors that may pass.
const (
	firstLook = 50 * time.Millisecond
	lastLook  = 100 * time.Millisecond

	firstPause = 50 * time.Millisecond
	mostPause  = time.Second
)

// stand waits for this process's turn, and opens the table then.
func (c *candidate) stand(ctx context.Context) (term, error) {
	for failures := 0; ; {
		t, err := c.try(ctx)
		var held *table.HeldError
		pause := firstLook + rand.N(lastLook-firstLook)
		switch {
		case ctx.Err() != nil:
			c.leave(t)
			return nil, ctx.Err()
		case err == nil:
			return t, nil
		case errors.As(err, &held):
			failures = 0
		case table.Lasts(err):
			return nil, err
		default:
			c.logger.Warn("the table cannot be opened; it is tried again", zap.Error(err))
			pause = pauseAfter(failures)
			failures++
		}
		if err := sleep(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// leave closes a table that came too late.
func (c *candidate) leave(t term) {
	if t != nil {
		_ = t.Close() // always nil
	}
}

// pauseAfter returns how long to wait after so many failures before the last.
func pauseAfter(failures int) time.Duration {
	d := min(firstPause<<min(failures, 16), mostPause)
	return d/2 + rand.N(d/2)
}

// try opens the table if it may be this process's turn. A HeldError says that it is not.
func (c *candidate) try(ctx context.Context) (term, error) {
	stored, err := c.stored(ctx)
	if err != nil {
		return nil, err
	}
	if left := c.watch.see(stored, time.Now()); left > 0 {
		return nil, &table.HeldError{Holder: stored.Holder, Left: left}
	}
	t, err := c.open(ctx)
	var held *table.HeldError
	if errors.As(err, &held) {
		c.watch.refused(held.Left, time.Now())
	}
	if err != nil {
		return nil, err
	}
	c.logger.Info("owns the table now", append(c.watch.history(time.Now()), zap.String("holder", t.Holder()))...)
	c.watch.own = t.Holder()
	return t, nil
}

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
