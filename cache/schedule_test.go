package cache

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// calls runs every until it has called n times, in the time of a bubble, and returns after how long each call came. fails says which
// call fails.
func calls(t *testing.T, d time.Duration, n int, fails func(call int) bool) (pauses []time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		last := time.Now()
		every(ctx, d, func(context.Context) error {
			pauses = append(pauses, time.Since(last))
			last = time.Now()
			call := len(pauses) - 1
			if len(pauses) == n {
				cancel()
			}
			if fails(call) {
				return errors.New("down")
			}
			return nil
		})
	})
	return pauses
}

func never(int) bool { return false }

// about tells whether a pause is d, but for the jitter.
func about(pause, d time.Duration) bool { return pause >= d-d/10 && pause <= d+d/10 }

func TestEveryComesAboutEvery(t *testing.T) {
	t.Parallel()
	for _, d := range []time.Duration{100 * time.Millisecond, time.Minute, 24 * time.Hour} {
		pauses := calls(t, d, 200, never)
		for _, p := range pauses {
			if !about(p, d) {
				t.Errorf("%v after the last time, of %v", p, d)
			}
		}
		if low, high := slices.Min(pauses), slices.Max(pauses); low > d-d/20 || high < d+d/20 {
			t.Errorf("%v to %v: that is little jitter of %v", low, high, d)
		}
	}
}

// What takes long itself is not called without a pause.
func TestEveryCountsFromTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var ended time.Time
		times := 0
		every(ctx, time.Minute, func(context.Context) error {
			if times > 0 && !about(time.Since(ended), time.Minute) {
				t.Errorf("%v after the end of the last", time.Since(ended))
			}
			if times++; times == 5 {
				cancel()
			}
			<-time.After(time.Hour)
			ended = time.Now()
			return nil
		})
	})
}

func TestEveryComesSoonerAfterAFailure(t *testing.T) {
	t.Parallel()
	const s = time.Second
	for _, test := range []struct {
		d      time.Duration
		fails  func(int) bool
		wanted []time.Duration // the pause before each call
	}{
		{10 * s, func(call int) bool { return call < 6 }, []time.Duration{10 * s, s, 2 * s, 4 * s, 8 * s, 10 * s, 10 * s, 10 * s}},
		{10 * s, func(call int) bool { return call == 0 || call == 2 }, []time.Duration{10 * s, s, 10 * s, s, 10 * s}},
		{s / 2, func(int) bool { return true }, []time.Duration{s / 2, s / 2, s / 2, s / 2}},
	} {
		for i, p := range calls(t, test.d, len(test.wanted), test.fails) {
			if !about(p, test.wanted[i]) {
				t.Errorf("every %v: call %d came after %v, want %v", test.d, i, p, test.wanted[i])
			}
		}
	}
}

func TestEveryEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			every(ctx, time.Hour, func(context.Context) error { t.Error("called"); return nil })
		}()
		synctest.Wait()
		begin := time.Now()
		cancel()
		<-done
		if waited := time.Since(begin); waited != 0 {
			t.Errorf("ended after %v", waited)
		}
	})
}

// A period that stands for never must not wrap around: it would come without a pause.
func TestJitterHasBounds(t *testing.T) {
	t.Parallel()
	for _, d := range []time.Duration{0, 1, 4, 9, time.Millisecond, time.Hour, math.MaxInt64 / 2, math.MaxInt64 - 1, math.MaxInt64} {
		for range 1000 {
			j := jittered(d)
			if j < d-d/10 || j-d > d/10+1 { // d + d/10 may be too much
				t.Fatalf("%v is %v with jitter", int64(d), int64(j))
			}
		}
	}
}
