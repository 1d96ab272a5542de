package cleanup

import (
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"go.uber.org/zap"
)

// runWorker runs the steps that are due until the pool is closed.
func (p *Pool) runWorker() {
	defer p.endWorker()
	for {
		t, next := p.takeDue()
		if t != nil {
			p.runStep(t)
		} else if !p.waitForTask(next) {
			return
		}
	}
}

func (p *Pool) endWorker() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.workers--
	if p.workers == 0 {
		close(p.stopped)
	}
}

// takeDue removes the task that has been due for the longest time from the list and returns it. If none is due it returns
// the moment when the next one will be, or zero if none waits.
func (p *Pool) takeDue() (t *Task, next time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.waiting) == 0 {
		return nil, time.Time{}
	}
	t = slices.MinFunc(p.waiting, func(a, b *Task) int { return a.due.Compare(b.due) }) // the first of equals
	if t.due.After(time.Now()) {
		return nil, t.due
	}
	i := slices.Index(p.waiting, t)
	p.waiting = slices.Delete(p.waiting, i, i+1)
	return t, time.Time{}
}

// waitForTask waits until a task may be due. open is false once the pool is closed.
func (p *Pool) waitForTask(next time.Time) (open bool) {
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

// runStep does one step of a task that takeDue has returned, and enqueues the task again or finishes it.
func (p *Pool) runStep(t *Task) {
	begin := time.Now()
	done, err := p.callStep(t)
	took, cancelled := time.Since(begin), t.ctx.Err() != nil
	after, pause := p.handleStepEnd(t, took, done, err)
	if err != nil && !cancelled {
		p.settings.log.Warn("cleanup step failed", zap.String("table", t.job.Name()), zap.Error(err),
			zap.Int("failures", after.Failures), zap.Bool("final", done), zap.Duration("pause", pause))
	}
}

// callStep calls the job, and turns a panic into an error. The value of the panic may hold data, so the error has only its type.
func (p *Pool) callStep(t *Task) (done bool, err error) {
	defer func() {
		if v := recover(); v != nil {
			done, err = false, fmt.Errorf("%w: %T", ErrPanicked, v)
			p.settings.log.Error("cleanup step panicked", zap.String("table", t.job.Name()),
				zap.ByteString("stack", debug.Stack()))
		}
	}()
	return t.job.Step(t.ctx)
}

// handleStepEnd finishes a task or enqueues it again. If the job is done, the task ends with nil even while it is being stopped.
func (p *Pool) handleStepEnd(t *Task, took time.Duration, done bool, err error) (after Status, pause time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t.status.add(err)
	switch {
	case done && err == nil:
		p.finish(t, nil)
	case t.stopping:
		p.finish(t, ErrStopped)
	case done:
		p.finish(t, err)
	default:
		pause = p.settings.takePause(t, took)
		p.enqueue(t, pause)
	}
	return t.status, pause
}

func (s *Status) add(err error) {
	s.Steps++
	s.LastErr = err
	if err == nil {
		s.Failures = 0
	} else {
		s.Failures++
	}
}
