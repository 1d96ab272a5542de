package cache

import (
	"context"
	"math"
	"math/rand/v2"
	"time"
)

// firstRetry is after how long something scheduled is tried again that has failed once.
const firstRetry = time.Second

// every calls do again and again, about d after the last time, until ctx ends. What has failed is tried again sooner: first after
// firstRetry, and then later and later.
func every(ctx context.Context, d time.Duration, do func(context.Context) error) {
	pause, retry := d, min(firstRetry, d)
	for sleep(ctx, jittered(pause)) {
		if err := do(ctx); err == nil {
			pause, retry = d, min(firstRetry, d)
		} else {
			pause, retry = retry, min(2*retry, d)
		}
	}
}

// jittered returns d, and a tenth of it more or less.
func jittered(d time.Duration) time.Duration {
	least := d - d/10
	return least + min(rand.N(max(d/5, 1)), math.MaxInt64-least)
}
