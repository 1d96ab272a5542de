package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/cleanup"
	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// Folds runs the folds that the actor requests, one after each merge, in the cleanup pool, and tells
// the actor when a fold has ended.
type Folds struct {
	client *wire.Client
	pool   *cleanup.Pool
	epoch  layout.Epoch
	ready  chan struct{} // closed by AnswerTo once the next two are set
	actor  *engine.Actor
	folded func() // called after each fold

	running
}

// NewFolds returns the folds of the owner that epoch names. Call AnswerTo before a fold can end.
func NewFolds(c *wire.Client, p *cleanup.Pool, epoch layout.Epoch) *Folds {
	return &Folds{client: c, pool: p, epoch: epoch, ready: make(chan struct{})}
}

// AnswerTo names the actor that is told when a fold has ended, and what is called then.
func (f *Folds) AnswerTo(a *engine.Actor, folded func()) {
	f.actor, f.folded = a, folded
	close(f.ready)
}

// Begin begins the fold of what was merged. The actor calls it, and it does not block.
func (f *Folds) Begin(merged engine.View) {
	generation := merged.Generation
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopped {
		return
	}
	job := &foldJob{client: f.client, epoch: f.epoch, generation: generation, whole: merged.Whole, cursor: "0", tell: f.tell}
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

// tell tells the actor how a fold fares that goes on.
func (f *Folds) tell(generation uint32, err error) {
	<-f.ready
	if wire.Lasts(err) {
		err = &engine.RefusedError{Err: err, General: true}
	}
	f.actor.FoldFails(generation, err)
}

// end tells the actor how a fold has ended. If the fold was stopped it tells nothing: the next Open goes on
// with the fold.
func (f *Folds) end(generation uint32, err error) {
	if !errors.Is(err, cleanup.ErrStopped) {
		f.actor.Folded(generation, err)
		f.folded()
	}
}

// Status returns how the latest fold is doing.
func (f *Folds) Status() cleanup.Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.task == nil {
		return cleanup.Status{}
	}
	return f.task.Status()
}

// foldJob copies the staged rows of one generation, some in each step. The pool runs one step at a time.
type foldJob struct {
	client     *wire.Client
	epoch      layout.Epoch
	generation uint32
	whole      bool // staged rows stand for the whole table
	cursor     string
	tell       func(generation uint32, err error) // told of the first step that fails, each that does after it, and the next that does not
	failing    bool
}

// How many rows, or bytes of rows, one step copies. Reads wait for a step.
const (
	foldRows  = 200
	foldBytes = 256 << 10
)

// foldNow folds what is merged, for an owner who has not begun yet. A step that fails is repeated, but not where that is of no use.
func foldNow(ctx context.Context, c *wire.Client, claimed wire.Moment) error {
	j := &foldJob{client: c, epoch: claimed.Epoch, generation: claimed.View.Generation, whole: claimed.View.Whole, cursor: "0"}
	for failures := 0; ; {
		done, err := j.copy(ctx)
		if err == nil {
			failures = 0
		} else {
			failures++
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case done, failures == foldTries, wire.Lasts(err):
			return err
		case err != nil:
			if err := c.Pause(ctx, foldPause); err != nil {
				return err
			}
		}
	}
}

// How often in a row a step of foldNow may fail, and how long it waits after each failure.
const (
	foldTries = 4
	foldPause = 20 * time.Millisecond
)

// Name returns the table's name.
func (j *foldJob) Name() string { return j.client.Keys.Table }

// Step copies some rows. It is done when nothing is left, or when the table is no longer ours.
func (j *foldJob) Step(ctx context.Context) (done bool, err error) {
	done, err = j.copy(ctx)
	if !done && ctx.Err() == nil && (err != nil || j.failing) {
		j.failing = err != nil
		j.tell(j.generation, err)
	}
	return done, err
}

func (j *foldJob) copy(ctx context.Context) (done bool, err error) {
	call := j.call()
	a, err := certain(ctx, j.client, j.epoch, call)
	if err == nil && j.isBehind(a) {
		a, err = confirmed(ctx, j.client, j.epoch, call)
	}
	switch {
	case err != nil:
		err = wire.LostToForeignType(err)
		if errors.Is(err, redis.ErrClosed) { // the client is closed for good: callers that wait for the fold are told
			return true, &engine.RefusedError{Err: err, General: true}
		}
		return errors.Is(err, engine.ErrLost), err
	case j.isBehind(a):
		return true, fmt.Errorf("%w: it went back before a merge", engine.ErrLost)
	case a.Status == wire.StatusStale: // the final step was repeated, or the table was cleared
		return true, nil
	}
	if err := a.Err(j.epoch); err != nil {
		return true, err
	}
	j.cursor = a.Last
	return a.View.State != engine.StateMerging, nil
}

func (j *foldJob) call() []any {
	if j.whole {
		return scripts.FoldWhole(j.client, j.epoch, j.generation)
	}
	return scripts.Fold(j.client, j.epoch, j.generation, j.cursor, foldRows, foldBytes)
}

// isBehind tells whether an answer is of a moment before the merge.
func (j *foldJob) isBehind(a wire.Answer) bool {
	return a.Status == wire.StatusStale && a.View.Generation < j.generation
}
