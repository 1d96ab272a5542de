package cleanup

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestTablesTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(1, WithPace(0))
		defer closePool(t, p)
		gate := make(chan struct{})
		first := submit(t, p, jobFunc(func(context.Context) (bool, error) { <-gate; return true, nil }))
		synctest.Wait() // the worker is taken: the others queue up behind it

		var order strings.Builder // the one worker writes it
		var tasks []*Task
		for _, name := range []string{"a", "b", "c"} {
			tasks = append(tasks, submit(t, p, countdown(3, func() { order.WriteString(name) })))
		}
		close(gate)
		wantEnd(t, first, nil)
		for _, task := range tasks {
			wantEnd(t, task, nil)
		}
		if order.String() != "abcabcabc" {
			t.Errorf("order %s", order.String())
		}
	})
}

func TestASlowTableHoldsOthersForOneStepOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(1, WithPace(0))
		defer closePool(t, p)
		slow := submit(t, p, jobFunc(func(ctx context.Context) (bool, error) { return false, passTime(ctx, time.Second) }))
		synctest.Wait()
		begin := time.Now()
		wantEnd(t, submit(t, p, countdown(5, func() {})), nil)
		// Each of the five steps waits for one of the slow ones at most.
		if took := time.Since(begin); took != 5*time.Second {
			t.Errorf("took %v, want 5s", took)
		}
		slow.Stop()
	})
}

func TestAFailingTableDoesNotOccupyAWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(1, WithBackoff(time.Hour, time.Hour))
		defer closePool(t, p)
		failing := submit(t, p, jobFunc(func(context.Context) (bool, error) { return false, errStep }))
		synctest.Wait()
		begin := time.Now()
		wantEnd(t, submit(t, p, countdown(100, func() {})), nil)
		if took := time.Since(begin); took != 0 {
			t.Errorf("100 steps of no length took %v", took)
		}
		if got := failing.Status(); got.Failures == 0 || !errors.Is(got.LastErr, errStep) {
			t.Errorf("status %+v", got)
		}
	})
}

func TestWorkersRunSideBySideAndNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(3)
		defer closePool(t, p)
		var running, most atomic.Int32
		gate := make(chan struct{})
		for range 5 {
			submit(t, p, jobFunc(func(context.Context) (bool, error) {
				most.Store(max(most.Load(), running.Add(1)))
				<-gate
				running.Add(-1)
				return true, nil
			}))
		}
		synctest.Wait()
		if got := running.Load(); got != 3 {
			t.Errorf("%d steps at once, want 3", got)
		}
		close(gate)
		synctest.Wait()
		if got := most.Load(); got != 3 {
			t.Errorf("at most %d steps at once, want 3", got)
		}
	})
}

func TestOneTaskNeverRunsTwiceAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(4, WithPace(0))
		defer closePool(t, p)
		var running atomic.Int32
		left := 100
		task := submit(t, p, jobFunc(func(ctx context.Context) (bool, error) {
			if running.Add(1) != 1 {
				t.Error("two steps of one task at once")
			}
			defer running.Add(-1)
			left--
			return left == 0, passTime(ctx, time.Millisecond)
		}))
		wantEnd(t, task, nil)
		if got := task.Status(); got.Steps != 100 {
			t.Errorf("status %+v", got)
		}
	})
}

func TestPacePausesAfterEachStep(t *testing.T) {
	for ratio, want := range map[float64]time.Duration{0: 30, 0.5: 40, 2: 70, -1: 30} {
		synctest.Test(t, func(t *testing.T) {
			p := NewPool(2, WithPace(ratio))
			defer closePool(t, p)
			left, begin := 3, time.Now()
			task := submit(t, p, jobFunc(func(ctx context.Context) (bool, error) {
				left--
				return left == 0, passTime(ctx, 10*time.Millisecond)
			}))
			wantEnd(t, task, nil)
			if took := time.Since(begin); took != want*time.Millisecond {
				t.Errorf("ratio %v: 3 steps of 10ms took %v, want %vms", ratio, took, int(want))
			}
		})
	}
}

func TestShortPausesAreAddedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(1, WithPace(0.5))
		defer closePool(t, p)
		left, begin := 9, time.Now()
		var starts []time.Duration
		task := submit(t, p, jobFunc(func(ctx context.Context) (bool, error) {
			starts = append(starts, time.Since(begin))
			left--
			return left == 0, passTime(ctx, time.Millisecond)
		}))
		wantEnd(t, task, nil)
		ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
		if want := []time.Duration{0, ms(1), ms(2), ms(3), ms(6), ms(7), ms(8), ms(9), ms(12)}; !slices.Equal(starts, want) {
			t.Errorf("steps began after %v, want %v", starts, want)
		}
	})
}

func TestPaceHoldsAfterAFailureToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(1, WithPace(1), WithBackoff(time.Nanosecond, time.Nanosecond))
		defer closePool(t, p)
		left, begin := 2, time.Now()
		task := submit(t, p, jobFunc(func(ctx context.Context) (bool, error) {
			left--
			if err := passTime(ctx, time.Second); err != nil || left > 0 {
				return false, errStep
			}
			return true, nil
		}))
		wantEnd(t, task, nil)
		if took := time.Since(begin); took != 3*time.Second {
			t.Errorf("step, pause, step took %v, want 3s", took)
		}
	})
}

func TestPacingLeavesTheWorkerToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(1, WithPace(1))
		defer closePool(t, p)
		step := func(ctx context.Context) (bool, error) { return false, passTime(ctx, time.Second) }
		a, b := submit(t, p, jobFunc(step)), submit(t, p, jobFunc(step))
		<-time.After(time.Minute - time.Nanosecond)
		if got := a.Status().Steps + b.Status().Steps; got != 59 {
			t.Errorf("%d steps of 1s in a minute: the worker was idle", got)
		}
	})
}

func TestBackoffGrowsWithJitterUpToItsBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const tries = 1000
		p := NewPool(1, WithBackoff(10*time.Millisecond, time.Second))
		defer closePool(t, p)
		var at []time.Time
		task := submit(t, p, jobFunc(func(context.Context) (bool, error) {
			at = append(at, time.Now())
			if len(at) < tries {
				return false, errStep
			}
			return true, nil
		}))
		wantEnd(t, task, nil)
		checkGaps(t, at)
	})
}

// checkGaps: the n-th wait is random below 10ms * 2^n, and never above a second.
func checkGaps(t *testing.T, at []time.Time) {
	t.Helper()
	bound := 10 * time.Millisecond
	var gaps []time.Duration
	for i := 1; i < len(at); i++ {
		gap := at[i].Sub(at[i-1])
		if gaps = append(gaps, gap); gap >= bound {
			t.Errorf("wait %d is %v, want below %v", i, gap, bound)
		}
		bound = min(2*bound, time.Second)
	}
	if low, high := slices.Min(gaps), slices.Max(gaps); low > 100*time.Millisecond || high < 900*time.Millisecond {
		t.Errorf("waits between %v and %v: no full jitter", low, high)
	}
}

func TestAGoodStepEndsTheBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(1)
		defer closePool(t, p)
		answers := []error{errStep, errStep, nil}
		gate := make(chan struct{})
		task := submit(t, p, jobFunc(func(context.Context) (bool, error) {
			if len(answers) == 0 {
				<-gate
				return true, nil
			}
			err := answers[0]
			answers = answers[1:]
			return false, err
		}))
		<-time.After(time.Minute)
		if got, want := task.Status(), (Status{Steps: 3}); got != want {
			t.Errorf("status %+v, want %+v", got, want)
		}
		close(gate)
		wantEnd(t, task, nil)
	})
}

func TestDoneWithAnErrorEndsTheTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(1)
		defer closePool(t, p)
		task := submit(t, p, jobFunc(func(context.Context) (bool, error) { return true, errStep }))
		wantEnd(t, task, errStep)
		<-time.After(time.Minute)
		if got := task.Status(); got.Steps != 1 || got.Failures != 1 {
			t.Errorf("status %+v", got)
		}
	})
}

// passTime lets (fake) time pass, as a slow step does.
func passTime(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
