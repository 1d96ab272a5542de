package cleanup

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Pool runs the jobs of many tables, batch by batch, on a few workers. Its methods may be called from any goroutine.
type Pool struct {
	set settings // never changes

	wake    chan struct{} // written by put, read by idle workers
	quit    chan struct{} // closed by Close, read by idle workers
	stopped chan struct{} // closed by the last worker to leave, read by Close

	mu      sync.Mutex // guards what follows, and the changing fields of every task
	closed  bool
	workers int                // that have not left
	tasks   map[*Task]struct{} // all that are not finished
	waiting []*Task            // those of them that no worker has, in the order in which they came to wait
}

// NewPool starts a pool of that many workers; zero or less means 2. Close ends it.
func NewPool(workers int, opts ...Option) *Pool {
	if workers <= 0 {
		workers = defaultWorkers
	}
	p := &Pool{
		set:     newSettings(opts),
		wake:    make(chan struct{}, workers),
		quit:    make(chan struct{}),
		stopped: make(chan struct{}),
		workers: workers,
		tasks:   make(map[*Task]struct{}),
	}
	for range workers {
		go p.work()
	}
	return p
}

// Submit hands a job to the pool and returns at once. The only error is ErrClosed. A job that is submitted again runs
// as a second task beside the first, which the caller therefore stops before.
func (p *Pool) Submit(j Job) (*Task, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, ErrClosed
	}
	t := newTask(p, j)
	p.tasks[t] = struct{}{}
	p.put(t, 0)
	return t, nil
}

// Close stops all tasks, which end with ErrStopped, and waits until the workers have left or ctx ends; then it returns an
// error that Is ctx.Err(), and the workers leave when their steps return. Close may be called again, to wait longer.
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

// put lets a task wait for its next turn, due after rest. p.mu is held.
func (p *Pool) put(t *Task, rest time.Duration) {
	t.due = time.Now().Add(rest)
	p.waiting = append(p.waiting, t)
	select {
	case p.wake <- struct{}{}:
	default: // as many signals as workers are under way: each of them will look
	}
}

// stop ends a task that waits, and has the worker end one that runs. p.mu is held.
func (p *Pool) stop(t *Task) {
	t.stopping = true
	t.cancel()
	if i := slices.Index(p.waiting, t); i >= 0 {
		p.waiting = slices.Delete(p.waiting, i, i+1)
		p.finish(t, ErrStopped)
	}
}

// finish is the end of a task that neither waits nor runs. p.mu is held.
func (p *Pool) finish(t *Task, err error) {
	t.err = err
	t.cancel()
	delete(p.tasks, t)
	close(t.done)
}
