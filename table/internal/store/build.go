package store

import (
	"context"
	"errors"
	"slices"

	"go.uber.org/zap"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/cleanup"
	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// Builds makes the entries of indexes that are new, in the cleanup pool, and has them declared complete.
type Builds struct {
	builder
	pool *cleanup.Pool

	running
	again bool // begin once more when the task has ended; guarded like what running has
	done  bool // nothing is left to build; guarded, too
}

// builder is what a build needs to know.
type builder struct {
	client   *wire.Client
	epoch    layout.Epoch
	from, to int   // the indexes whose scores can be computed from rows are those from `from` up to but not including `to`
	most     int   // how many there are, with those whose scores cannot
	score    Score // computes scores
	complete func(context.Context) error
	logger   *zap.Logger
}

// Score computes the score of a row in an index. ok is false if it cannot be computed.
type Score func(key, row []byte, index int) (score engine.Bytes, ok bool)

// NewBuilds returns the builds of a table that was claimed. complete has those indexes declared complete that are; its error Is ErrSound
// if there is none.
func NewBuilds(t Claimed, p *cleanup.Pool, score Score, complete func(context.Context) error, l *zap.Logger) *Builds {
	indexes := t.Schema.Indexes
	first := len(indexes) - t.Building
	to := first
	for to < len(indexes) && !indexes[to].Unstored {
		to++
	}
	b := builder{client: t.Client.With(scripts.Building()), epoch: t.Epoch, from: first, to: to, most: len(indexes),
		score: score, complete: complete, logger: l}
	return &Builds{pool: p, done: t.Building == 0, builder: b}
}

// Begin begins to build what is left, or sees whether that has become complete by itself. It does not block. While a build is under way
// another one is made after it.
func (b *Builds) Begin() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.task != nil {
		b.again = true
		return
	}
	b.begin()
}

// begin is called with mu held.
func (b *Builds) begin() {
	b.again = false
	if b.stopped || b.done {
		return
	}
	job := &buildJob{builder: b.builder, cursor: buildBegin}
	task, err := b.pool.Submit(job)
	if err != nil {
		return
	}
	b.task = task
	b.wg.Go(func() {
		<-task.Done()
		b.end(job)
	})
}

func (b *Builds) end(job *buildJob) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.task, b.from, b.done = nil, job.from, job.from == b.most
	if b.again {
		b.begin()
	}
}

// buildJob goes through all merged rows once, and again where entries are missing afterwards. The pool runs one step at a time.
type buildJob struct {
	builder
	cursor string
	size   wire.Average // bytes of rows
	narrow bool         // the server cannot send several rows at once
	failed int          // rows whose scores could not be computed
}

// buildBegin is the cursor with which HSCAN begins, and the one with which it ends.
const buildBegin = "0"

// errUnscored: the score of some row cannot be computed, so that the index cannot be complete before somebody mends or writes the row.
var errUnscored = errors.New("tablecache: the score of a row cannot be computed")

// How many rows, or about how many bytes of rows, one step of a build reads at most. Reads wait for a step.
const (
	buildRows  = 200
	buildBytes = 256 << 10
)

// mostBuilt is how many entries one call makes at most, in one index: a script takes two values for each.
const mostBuilt = 1000

// Name returns the table's name.
func (j *buildJob) Name() string { return j.client.Keys.Table }

// Step makes some entries; the last one has the indexes declared complete.
func (j *buildJob) Step(ctx context.Context) (done bool, err error) {
	if j.from < j.to {
		if done, err := j.make(ctx); err != nil || done || j.cursor != buildBegin {
			return done, err
		}
	}
	return j.finish(ctx)
}

// make makes the entries of the next rows.
func (j *buildJob) make(ctx context.Context) (done bool, err error) {
	a, err := j.run(ctx, scripts.Audit(j.client, j.epoch, scripts.MergedRows, 0, scripts.AuditAt{Cursor: j.cursor}, j.rows()))
	if err != nil {
		j.narrow = j.narrow || wire.WasClosed(err)
		return isFinal(err), err
	}
	rows, err := scripts.ReadAuditedRows(&a)
	if err != nil {
		return false, err
	}
	for _, row := range rows.Rows {
		j.size.Learn(len(row), 1)
	}
	j.from = max(j.from, len(rows.Scores)-rows.Building)
	for chunk := range slices.Chunk(j.missing(rows), mostBuilt) {
		if _, err := j.run(ctx, scripts.Build(j.client, j.epoch, j.entries(rows, chunk))); err != nil {
			return isFinal(err), err
		}
	}
	j.cursor = rows.Next.Cursor
	return false, nil
}

// rows returns how many rows a step asks for.
func (j *buildJob) rows() int {
	if j.narrow {
		return 1
	}
	return min(max(buildBytes/j.size.Guess(), 1), buildRows)
}

// missing returns which rows lack an entry.
func (j *buildJob) missing(rows scripts.AuditedRows) (which []int) {
	for i := range rows.Keys {
		for index := j.from; index < j.to; index++ {
			if len(rows.Scores[index][i]) == 0 {
				which = append(which, i)
				break
			}
		}
	}
	return which
}

// entries returns the entries of some rows in all indexes. A row of which a score cannot be computed has none.
func (j *buildJob) entries(rows scripts.AuditedRows, which []int) scripts.BuiltEntries {
	e := scripts.BuiltEntries{Scores: make(map[int][]engine.Bytes)}
	for _, i := range which {
		scores, ok := j.scores(rows.Keys[i], rows.Rows[i])
		if !ok {
			j.failed++
			continue
		}
		e.Keys = append(e.Keys, rows.Keys[i])
		for k, score := range scores {
			e.Scores[j.from+k] = append(e.Scores[j.from+k], score)
		}
	}
	return e
}

func (j *buildJob) scores(key, row []byte) (scores []engine.Bytes, ok bool) {
	for index := j.from; index < j.to; index++ {
		score, ok := j.score(key, row, index)
		if !ok {
			return nil, false
		}
		scores = append(scores, score)
	}
	return scores, true
}

// finish has the indexes declared complete.
func (j *buildJob) finish(ctx context.Context) (done bool, err error) {
	err = j.complete(ctx)
	switch failed := j.failed; {
	case err == nil:
		return j.count(ctx)
	case !errors.Is(err, ErrSound):
		return isFinal(err) || errors.Is(err, engine.ErrLost), err
	case j.from >= j.to: // what is left can only be loaded
		return true, nil
	case failed > 0:
		j.failed = 0
		j.logger.Warn("an index cannot be completed: scores of rows cannot be computed", zap.Int("rows", failed))
		return false, errUnscored
	}
	return false, nil // rows came meanwhile that it has passed
}

// count finds out what is left.
func (j *buildJob) count(ctx context.Context) (done bool, err error) {
	a, err := j.run(ctx, scripts.Audit(j.client, j.epoch, scripts.MergedRows, 0, scripts.AuditAt{Cursor: buildBegin}, 1))
	if err != nil {
		return isFinal(err), err
	}
	rows, err := scripts.ReadAuditedRows(&a)
	if err != nil {
		return false, err
	}
	j.from = len(rows.Scores) - rows.Building
	j.logger.Info("indexes are complete", zap.Int("left", rows.Building))
	return j.from >= j.to, nil
}

func (j *buildJob) run(ctx context.Context, call []any) (a wire.Answer, err error) {
	if a, err = j.client.RunRaw(ctx, call); err != nil {
		return a, wire.LostToForeignType(err)
	}
	return a, a.Err(j.epoch)
}

// isFinal tells whether to try again is pointless.
func isFinal(err error) bool {
	return errors.Is(err, engine.ErrFenced) || errors.Is(err, engine.ErrClosed) || errors.Is(err, redis.ErrClosed)
}
