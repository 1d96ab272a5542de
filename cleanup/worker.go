package cleanup

import (
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"go.uber.org/zap"
)

// work is one worker: it runs whatever is due until the pool is closed.
func (p *Pool) work() {
	defer p.leave()
	for {
		t, next := p.take()
		if t != nil {
			p.run(t)
		} else if !p.idle(next) {
			return
		}
	}
}

func (p *Pool) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.workers--
	if p.workers == 0 {
		close(p.stopped)
	}
}

// take removes the task that has been due for the longest time from the list. When none is due it returns the moment when
// one will be, zero when none waits.
func (p *Pool) take() (*Task, time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.waiting) == 0 {
		return nil, time.Time{}
	}
	t := slices.MinFunc(p.waiting, func(a, b *Task) int { return a.due.Compare(b.due) }) // the first of equals
	if t.due.After(time.Now()) {
		return nil, t.due
	}
	i := slices.Index(p.waiting, t)
	p.waiting = slices.Delete(p.waiting, i, i+1)
	return t, time.Time{}
}

// idle waits until a task may be due, or reports that the pool is closed.
func (p *Pool) idle(next time.Time) bool {
	var due <-chan time.Time // nil: never
	if !next.IsZero() {
		timer := time.NewTimer(time.Until(next))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-due:
		return true
	case <-p.wake:
		return true
	case <-p.quit:
		return false
	}
}

// run does one step of a task that take has handed out, and puts the task back or finishes it.
func (p *Pool) run(t *Task) {
	begin := time.Now()
	done, err := p.step(t)
	took, cancelled := time.Since(begin), t.ctx.Err() != nil
	after, rest := p.settle(t, took, done, err)
	if err != nil && !cancelled {
		p.set.log.Warn("cleanup step failed", zap.String("table", t.job.Name()), zap.Error(err),
			zap.Int("failures", after.Failures), zap.Bool("final", done), zap.Duration("rest", rest))
	}
}

// step calls the job and makes an error of a panic. The value may hold data: only its type is told.
func (p *Pool) step(t *Task) (done bool, err error) {
	defer func() {
		if v := recover(); v != nil {
			done, err = false, fmt.Errorf("%w: %T", ErrPanicked, v)
			p.set.log.Error("cleanup step panicked", zap.String("table", t.job.Name()),
				zap.ByteString("stack", debug.Stack()))
		}
	}()
	return t.job.Step(t.ctx)
}

// settle decides what follows a step. A job that is done is done, even when it was being stopped.
func (p *Pool) settle(t *Task, took time.Duration, done bool, err error) (after Status, rest time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t.status.count(err)
	switch {
	case done && err == nil:
		p.finish(t, nil)
	case t.stopping:
		p.finish(t, ErrStopped)
	case done:
		p.finish(t, err)
	default:
		rest = p.set.rest(t, took)
		p.put(t, rest)
	}
	return t.status, rest
}

func (s *Status) count(err error) {
	s.Steps++
	s.LastErr = err
	if err == nil {
		s.Failures = 0
	} else {
		s.Failures++
	}
}
