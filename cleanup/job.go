package cleanup

import (
	"context"
	"errors"
)

var (
	// ErrClosed: Submit was called on a pool that is closed.
	ErrClosed = errors.New("cleanup: pool is closed")
	// ErrStopped: the task was stopped, by Stop or by Close, before its job was done.
	ErrStopped = errors.New("cleanup: task stopped")
	// ErrPanicked: a step panicked. It is retried like any error.
	ErrPanicked = errors.New("cleanup: step panicked")
)

// Job is work in batches for one table.
type Job interface {
	// Name is the table's name, for logs. It is called from any goroutine.
	Name() string
	// Step does one short batch. The pool never calls it twice at once for one task, and it must be safe to repeat.
	// done: nothing is left, or (with an error) it is pointless to try again. An error without done is retried after
	// a back-off. The context ends when the task is stopped; a step must not stop its own task, which waits for it.
	Step(ctx context.Context) (done bool, err error)
}

// Status is a look at a task.
type Status struct {
	Steps    int   // steps that have returned, failed ones included
	Failures int   // failed steps since the last good one
	LastErr  error // of the last step; nil when it was good
}
