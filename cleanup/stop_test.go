package cleanup

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// until is a step that ends when its context does.
func until(ctx context.Context) (bool, error) {
	<-ctx.Done()
	return false, ctx.Err()
}

func TestStopWaitsForTheRunningStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(1)
		defer closePool(t, p)
		cancelled, gate := make(chan struct{}), make(chan struct{})
		task := submit(t, p, jobFunc(func(ctx context.Context) (bool, error) {
			<-ctx.Done()
			close(cancelled)
			<-gate
			return false, nil
		}))
		synctest.Wait()
		stopped := make(chan struct{})
		go func() { defer close(stopped); task.Stop() }()
		<-cancelled
		synctest.Wait()
		select {
		case <-stopped:
			t.Error("Stop returned during a step")
		case <-task.Done():
			t.Error("done during a step")
		default:
		}
		close(gate)
		<-stopped
		wantEnd(t, task, ErrStopped)
	})
}

func TestStopInAPauseEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(1, WithBackoff(time.Hour, time.Hour))
		defer closePool(t, p)
		steps := 0
		task := submit(t, p, jobFunc(func(context.Context) (bool, error) { steps++; return false, errStep }))
		synctest.Wait()
		begin, before := time.Now(), steps
		task.Stop()
		task.Stop()
		wantEnd(t, task, ErrStopped)
		if !time.Now().Equal(begin) {
			t.Error("Stop waited for the end of the back-off")
		}
		<-time.After(2 * time.Hour)
		if steps != before {
			t.Error("a step after Stop")
		}
	})
}

func TestAStepThatGetsDoneWhileStoppedIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(1)
		defer closePool(t, p)
		task := submit(t, p, jobFunc(func(ctx context.Context) (bool, error) { <-ctx.Done(); return true, nil }))
		synctest.Wait()
		task.Stop()
		if err := task.Err(); err != nil {
			t.Errorf("ended with %v, want nil", err)
		}
	})
}

func TestResumeGoesOnAtTheJobsCursor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(1, WithPace(0))
		defer closePool(t, p)
		var cursor []int
		job := jobFunc(func(ctx context.Context) (bool, error) {
			if err := passTime(ctx, time.Second); err != nil {
				return false, err
			}
			cursor = append(cursor, len(cursor))
			return len(cursor) == 4, nil
		})
		task := submit(t, p, job)
		<-time.After(2500 * time.Millisecond)
		task.Stop()
		wantEnd(t, task, ErrStopped)
		wantEnd(t, submit(t, p, job), nil)
		if len(cursor) != 4 {
			t.Errorf("cursor %v", cursor)
		}
	})
}

func TestCloseStopsWhatRunsAndWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(1)
		running := submit(t, p, jobFunc(until))
		synctest.Wait()
		waiting := submit(t, p, countdown(1, func() { t.Error("ran after Close") }))
		closePool(t, p)
		wantEnd(t, running, ErrStopped)
		wantEnd(t, waiting, ErrStopped)
		closePool(t, p)
		if _, err := p.Submit(countdown(1, func() {})); !errors.Is(err, ErrClosed) {
			t.Errorf("Submit after Close: %v", err)
		}
	})
}

func TestCloseEndsWithItsContextAndMayBeRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(1)
		gate := make(chan struct{})
		task := submit(t, p, jobFunc(func(context.Context) (bool, error) { <-gate; return false, nil }))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := p.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close during a step that does not end: %v", err)
		}
		select {
		case <-task.Done():
			t.Error("done during a step")
		default:
		}
		close(gate)
		closePool(t, p)
		wantEnd(t, task, ErrStopped)
	})
}
