package cleanup

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Everything at once, in real time: what the race detector and the invariants see is the point.
func TestHammer(t *testing.T) {
	p := NewPool(3, WithPace(0.1), WithBackoff(time.Microsecond, 20*time.Microsecond))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				hammerOne(t, p)
			}
		})
	}
	wg.Wait()
	closePool(t, p)
	if len(p.tasks) != 0 || len(p.waiting) != 0 {
		t.Errorf("left over: %d tasks, %d waiting", len(p.tasks), len(p.waiting))
	}
}

func hammerOne(t *testing.T, p *Pool) {
	var running atomic.Int32
	left := 1 + rand.IntN(20)
	task, err := p.Submit(jobFunc(func(context.Context) (bool, error) {
		if running.Add(1) != 1 {
			t.Error("two steps at once")
		}
		defer running.Add(-1)
		left--
		switch rand.IntN(8) {
		case 0:
			return false, errStep
		case 1:
			panic("now and then")
		}
		return left <= 0, nil
	}))
	if err != nil {
		t.Error(err)
		return
	}
	if rand.IntN(2) == 0 {
		task.Stop()
	}
	<-task.Done()
	if running.Load() != 0 {
		t.Error("done while a step is running")
	}
}

func TestCloseAmidSubmits(t *testing.T) {
	p := NewPool(2)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				task, err := p.Submit(jobFunc(until))
				if err != nil {
					return
				}
				select {
				case <-task.Done():
				default:
				}
			}
		})
	}
	tasks := submit(t, p, jobFunc(until))
	closePool(t, p)
	wg.Wait()
	wantEnd(t, tasks, ErrStopped)
}
