package cleanup

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Pool runs the jobs of many tables, step by step, on a few workers. Its methods may be called from any goroutine.
type Pool struct {
	settings settings // never changes

	wake    chan struct{} // written by enqueue, read by idle workers
	quit    chan struct{} // closed by Close, read by idle workers
	stopped chan struct{} // closed by the last worker to end, read by Close

	mu      sync.Mutex // guards what follows, and the changing fields of every task
	closed  bool
	workers int                // how many have not ended
	tasks   map[*Task]struct{} // all that are not finished
	waiting []*Task            // the tasks that no worker has, in the order in which they began to wait
}

// NewPool starts a pool of so many workers; zero or less means 2. Close ends it.
func NewPool(workers int, opts ...Option) *Pool {
	if workers <= 0 {
		workers = defaultWorkers
	}
	p := &Pool{
		settings: newSettings(opts),
		wake:     make(chan struct{}, workers),
		quit:     make(chan struct{}),
		stopped:  make(chan struct{}),
		workers:  workers,
		tasks:    make(map[*Task]struct{}),
	}
	for range workers {
		go p.runWorker()
	}
	return p
}

// Submit hands a job to the pool and returns at once. The only error is ErrClosed. A job that is submitted again runs
// as a second task beside the first, so the caller must stop the first one before.
func (p *Pool) Submit(j Job) (*Task, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, ErrClosed
	}
	t := newTask(p, j)
	p.tasks[t] = struct{}{}
	p.enqueue(t, 0)
	return t, nil
}

// Close stops all tasks, which end with ErrStopped, and waits until the workers have ended. If ctx ends before, Close
// returns an error that Is ctx.Err(), and the workers end when their steps return. Close may be called again to wait longer.
func (p *Pool) Close(ctx context.Context) error {
	p.stopAll()
	select {
	case <-p.stopped:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("cleanup: close: a step is still running: %w", ctx.Err())
	}
}

func (p *Pool) stopAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.closed = true
	for t := range p.tasks {
		p.stop(t)
	}
	close(p.quit)
}

// enqueue makes a task wait for its next step, which is due after the pause. p.mu is held.
func (p *Pool) enqueue(t *Task, pause time.Duration) {
	t.due = time.Now().Add(pause)
	p.waiting = append(p.waiting, t)
	select {
	case p.wake <- struct{}{}:
	default: // there is an unread signal for each worker: each will look at the list
	}
}

// stop ends a task that waits. A task that runs is ended by its worker after the step. p.mu is held.
func (p *Pool) stop(t *Task) {
	t.stopping = true
	t.cancel()
	if i := slices.Index(p.waiting, t); i >= 0 {
		p.waiting = slices.Delete(p.waiting, i, i+1)
		p.finish(t, ErrStopped)
	}
}

// finish ends a task that neither waits nor runs. p.mu is held.
func (p *Pool) finish(t *Task, err error) {
	t.err = err
	t.cancel()
	delete(p.tasks, t)
	close(t.done)
}
