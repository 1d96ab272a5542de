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

// Job is work in steps for one table.
type Job interface {
	// Name is the table's name, for logs. It is called from any goroutine.
	Name() string
	// Step does a short part of the work. The pool runs one step of a task at a time, and a step must be safe to
	// repeat. done means that nothing is left to do; with an error it means that trying again is pointless. After an error
	// without done the pool calls Step again after a back-off. The context ends when the task is stopped. A step must not
	// stop its own task: Stop would wait for the step.
	Step(ctx context.Context) (done bool, err error)
}

// Status is how a task is doing at one moment.
type Status struct {
	Steps    int   // steps that have returned, failed ones included
	Failures int   // failed steps since the latest one without an error
	LastErr  error // the error of the latest step, or nil
}
