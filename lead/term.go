package lead

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/tablecache-go/tablecache/table"
)

// term is the time for which this process owns the table: a *table.Table.
type term interface {
	Done() <-chan struct{}
	Err() error
	LeasedUntil() time.Time
	Holder() string
	Close() error
}

// errRanOut: the lease could not be renewed in time.
var errRanOut = errors.New("lead: the lease could not be renewed in time")

// serve calls work. It returns when work has returned and the table is closed.
func (c *candidate) serve(outer context.Context, t term) ending {
	defer c.leave(t) // also if work ends its goroutine
	ctx, end := context.WithCancelCause(outer)
	var guard sync.WaitGroup
	guard.Go(func() { end(untilOver(ctx, t)) })
	defer guard.Wait()
	defer end(nil)
	err, panicked := c.call(ctx, t)
	why := context.Cause(ctx)
	if why == nil {
		why = over(t) // the guard may not have noticed
	}
	if why == nil || panicked {
		return ending{err: err, own: true}
	}
	level := zap.WarnLevel
	if outer.Err() != nil {
		level = zap.InfoLevel
	}
	c.logger.Log(level, "owns the table no longer", zap.String("holder", t.Holder()), zap.NamedError("why", why), zap.NamedError("work", err))
	return ending{err: why}
}

// call calls work, and tells whether it has panicked.
func (c *candidate) call(ctx context.Context, t term) (err error, panicked bool) {
	defer func() {
		if p := recover(); p != nil {
			c.logger.Error("work panicked", zap.String("type", fmt.Sprintf("%T", p)), zap.Stack("stack"))
			err, panicked = fmt.Errorf("%w: %T", table.ErrPanic, p), true
		}
	}()
	return c.work(ctx, t), false
}

// untilOver waits until the term is over, and returns why, or until ctx ends.
func untilOver(ctx context.Context, t term) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-t.Done():
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if why := over(t); why != nil {
			return why
		}
		timer.Reset(time.Until(t.LeasedUntil()))
	}
}

// over tells why a term is over; nil: it is not.
func over(t term) error {
	select {
	case <-t.Done():
		return t.Err()
	default:
	}
	if !time.Now().Before(t.LeasedUntil()) {
		return errRanOut
	}
	return nil
}
