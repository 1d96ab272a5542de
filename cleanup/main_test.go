package cleanup

import (
	"context"
	"errors"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errStep = errors.New("step failed")

// jobFunc is a job whose steps are calls of a function.
type jobFunc func(context.Context) (bool, error)

func (jobFunc) Name() string                             { return "t" }
func (f jobFunc) Step(ctx context.Context) (bool, error) { return f(ctx) }

// countdown is a job of n steps; each tells its name to log first.
func countdown(n int, log func()) Job {
	return jobFunc(func(context.Context) (bool, error) {
		log()
		n--
		return n <= 0, nil
	})
}

func submit(t *testing.T, p *Pool, j Job) *Task {
	t.Helper()
	task, err := p.Submit(j)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

func closePool(t *testing.T, p *Pool) {
	t.Helper()
	if err := p.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

// wantEnd waits for a task and checks how it ended.
func wantEnd(t *testing.T, task *Task, want error) {
	t.Helper()
	<-task.Done()
	if err := task.Err(); !errors.Is(err, want) {
		t.Errorf("ended with %v, want %v", err, want)
	}
}
