package pg

import (
	"context"
	"math/rand/v2"
	"time"
)

const firstDelay, lastDelay = 100 * time.Millisecond, 30 * time.Second

// retry counts failures in a row.
type retry struct{ failures int }

// wait waits after a failure: longer each time, and by chance, so that those who fail together do not try again together.
func (r *retry) wait(ctx context.Context) error {
	return rest(ctx, r.delay())
}

func (r *retry) delay() time.Duration {
	d := lastDelay
	if r.failures < 9 {
		d = min(firstDelay<<r.failures, lastDelay)
		r.failures++
	}
	return d/2 + rand.N(d/2)
}

// rest waits for a time, and returns the error of a context that ends before.
func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
