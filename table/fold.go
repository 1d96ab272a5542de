package table

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/tablecache-go/tablecache/cleanup"
	"github.com/tablecache-go/tablecache/engine"
)

// folds starts the folds that the actor asks for, one after a merge, in the cleanup pool, and
// tells the actor when they end.
type folds struct {
	*wire
	pool  *cleanup.Pool
	name  string
	epoch string
	ready chan struct{} // closed by answerTo once actor is set
	actor *engine.Actor

	mu      sync.Mutex // guards all below
	task    *cleanup.Task
	stopped bool
	wg      sync.WaitGroup
}

func (f *folds) answerTo(a *engine.Actor) {
	f.actor = a
	close(f.ready)
}

// begin is called by the actor and does not block.
func (f *folds) begin(generation uint32) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopped {
		return
	}
	job := &foldJob{wire: f.wire, name: f.name, epoch: f.epoch, generation: strconv.FormatUint(uint64(generation), 10), cursor: "0"}
	task, err := f.pool.Submit(job)
	f.task = task
	f.wg.Go(func() {
		<-f.ready
		if err == nil {
			<-task.Done()
			err = task.Err()
		}
		f.end(generation, err)
	})
}

// end tells the actor how a fold ended. A pool that was stopped is like a table that was closed:
// the next Open goes on with the fold.
func (f *folds) end(generation uint32, err error) {
	if !errors.Is(err, cleanup.ErrStopped) {
		f.actor.Folded(generation, err)
	}
}

// stop ends a running fold, which the next owner resumes.
func (f *folds) stop() {
	f.mu.Lock()
	f.stopped = true
	task := f.task
	f.mu.Unlock()
	if task != nil {
		task.Stop()
	}
	f.wg.Wait()
}

// status tells how a running fold fares.
func (f *folds) status() cleanup.Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.task == nil {
		return cleanup.Status{}
	}
	return f.task.Status()
}

// foldJob moves one generation's staged rows, batch by batch. Only one worker runs it at a time.
type foldJob struct {
	*wire
	name, epoch, generation string
	cursor                  string
}

// foldBatch is how many rows one script moves. Reads wait for it; more are hardly faster.
const foldBatch = 125

// Name returns the table's name.
func (j *foldJob) Name() string { return j.name }

// Step moves one batch. It is done when nothing is left, or when the table is no longer ours.
func (j *foldJob) Step(ctx context.Context) (done bool, err error) {
	args := j.command(&j.scripts.fold, 4)
	a, err := j.run(ctx, append(args, j.epoch, j.generation, j.cursor, foldBatch))
	if err != nil {
		if isServerError(err) && isForeignType(err) {
			err = fmt.Errorf("%w: a key has a foreign type: %w", ErrLost, err)
		}
		return errors.Is(err, ErrLost), err
	}
	if a.status == "STALE" { // a repeated last batch, or the table was cleared
		return true, nil
	}
	if err := a.err(j.epoch); err != nil {
		return true, err
	}
	j.cursor = a.last
	return a.view.State != engine.StateMerging, nil
}
