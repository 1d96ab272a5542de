package cleanup

import (
	"context"
	"time"
)

// Task is a job in the pool. Its methods may be called from any goroutine.
type Task struct {
	pool   *Pool
	job    Job
	ctx    context.Context // for all its steps
	cancel context.CancelFunc
	done   chan struct{} // closed by Pool.finish

	// guarded by pool.mu
	due       time.Time     // while it waits
	owedPause time.Duration // pauses not yet taken
	stopping  bool
	status    Status
	err       error
}

func newTask(p *Pool, j Job) *Task {
	ctx, cancel := context.WithCancel(context.Background())
	return &Task{pool: p, job: j, ctx: ctx, cancel: cancel, done: make(chan struct{})}
}

// Done returns a channel that is closed when the job is finished or stopped and no step of it is running.
func (t *Task) Done() <-chan struct{} { return t.done }

// Err returns nil before Done. After that it returns nil if the job is done, the error of a step that was pointless to repeat,
// or ErrStopped. If a step was running when the task was stopped, Status has its error.
func (t *Task) Err() error {
	t.pool.mu.Lock()
	defer t.pool.mu.Unlock()
	return t.err
}

// Stop ends the task: no step begins any more, the context of a running one is cancelled, and Stop returns when that
// step has. Stopping a task that has ended does nothing. Submit the job again to resume it.
func (t *Task) Stop() {
	t.pool.mu.Lock()
	t.pool.stop(t)
	t.pool.mu.Unlock()
	<-t.done
}

// Status returns how the task is doing; it never blocks for long.
func (t *Task) Status() Status {
	t.pool.mu.Lock()
	defer t.pool.mu.Unlock()
	return t.status
}
