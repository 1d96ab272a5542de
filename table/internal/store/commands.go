package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/feed"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// admits tells whether a state of the lock lets an effect run. One that changes what readers see runs in the very state that it starts
// from: what is meant for the clear state knows nothing of what is staged.
func admits(s engine.State, e *engine.Effect) bool {
	if e.Kind == engine.Stage || e.Kind == engine.Discard {
		return s != engine.StateMerging
	}
	return s == e.State
}

// resultOf returns what a transaction of the effect leaves behind. All marks of a deletion are marked.
func resultOf(v engine.View, e *engine.Effect) engine.Result {
	r := engine.Result{State: v.State, Whole: v.Whole, Generation: v.Generation, Version: v.Version}
	if e.Kind == engine.Delete || e.Kind == engine.Discard {
		r.Verdicts = slices.Repeat([]engine.Verdict{engine.Marked}, len(e.Marks))
	}
	switch {
	case e.Kind == engine.Stage, e.Kind == engine.Discard:
		r.State = engine.StateActive
	case len(e.Rows)+len(e.Marks) > 0: // else only the note is written
		r.Version++
	}
	return r
}

// queueEffect queues an effect without EXEC: its entry first. HLEN and ZCARD are queued although nobody needs their answers: the seal
// uses them in its script, where a missing permission would be noticed only after the rows were written. Queued, they are refused
// before, and EXEC with them.
func (t *transaction) queueEffect(ctx context.Context, p *wire.Pipeline, e *scripts.Effect, r engine.Result) (*wire.Ack, *wire.Departure) {
	if e.Trim != layout.NoFeed {
		p.Ack(ctx, feed.Append(&t.client.Keys.Feed, e)...)
	}
	t.queueChange(ctx, p, e.Effect, r)
	p.Ack(ctx, t.client.Commands.Sizes[0]...)
	p.Ack(ctx, t.client.Commands.Sizes[2]...)
	return scripts.QueueSeal(ctx, p, t.client, e.Effect, r, t.armed)
}

func (t *transaction) queueChange(ctx context.Context, p *wire.Pipeline, e *engine.Effect, r engine.Result) {
	k := &t.client.Keys
	switch e.Kind {
	case engine.Put, engine.Update:
		queueRows(ctx, p, e.Rows, &k.Rows, k.Merged)
	case engine.Apply:
		queueRows(ctx, p, e.Rows, &k.Rows, k.Merged)
		queueKeys(ctx, p, "hdel", &k.Rows, e.Marks)
		queueRemoval(ctx, p, e.Marks, k.Merged)
	case engine.Stage:
		queueRows(ctx, p, e.Rows, &k.Staged, k.Shadow)
	case engine.Delete:
		queueKeys(ctx, p, "hdel", &k.Rows, e.Marks)
		queueRemoval(ctx, p, e.Marks, k.Merged)
	case engine.Discard:
		if r.Whole {
			queueKeys(ctx, p, "hdel", &k.Staged, e.Marks)
		} else {
			queueTombstones(ctx, p, e, &k.Staged)
		}
		queueRemoval(ctx, p, e.Marks, k.Shadow)
		return
	}
	switch {
	case e.Kind == engine.Stage || e.State != engine.StateActive:
	case r.Whole:
		queueThroughWhole(ctx, p, e, k)
	default:
		queueUnstage(ctx, p, e, k)
	}
}

// queueThroughWhole makes what stands for the whole table agree with what is written through.
func queueThroughWhole(ctx context.Context, p *wire.Pipeline, e *engine.Effect, k *layout.Keys) {
	queueRows(ctx, p, restamped(e.Rows, e.Generation+1), &k.Staged, k.Shadow)
	queueKeys(ctx, p, "hdel", &k.Staged, removed(e))
	queueRemoval(ctx, p, removed(e), k.Shadow)
}

// removed are the marks whose rows the effect removes. That of an update is no deletion.
func removed(e *engine.Effect) []engine.Mark {
	if e.Kind == engine.Update {
		return nil
	}
	return e.Marks
}

// restamped returns copies of rows, as rows of another generation.
func restamped(rows []engine.Row, generation uint32) []engine.Row {
	copies := slices.Clone(rows)
	for i := range copies {
		copies[i].Value = append(layout.Tombstone(generation), rows[i].Value[layout.GenerationBytes:]...)
	}
	return copies
}

// queueUnstage takes the keys of an effect out of what is staged: what is written through wins.
func queueUnstage(ctx context.Context, p *wire.Pipeline, e *engine.Effect, k *layout.Keys) {
	marks := slices.Grow(slices.Clip(removed(e)), len(e.Rows))
	for i := range e.Rows {
		marks = append(marks, engine.Mark{Key: e.Rows[i].Key})
	}
	queueKeys(ctx, p, "hdel", &k.Staged, marks)
	queueRemoval(ctx, p, marks, k.Shadow)
}

func queueRows(ctx context.Context, p *wire.Pipeline, rows []engine.Row, hash *string, indexes []string) {
	if len(rows) == 0 {
		return
	}
	n := 2 + 2*len(rows)
	all := make([]any, 0, n*(1+len(indexes))) // the arguments of all commands
	hset := append(all[:0:n], "hset", hash)
	for i := range rows {
		hset = append(hset, &rows[i].Key, &rows[i].Value)
	}
	p.Ack(ctx, hset...)
	for j := range indexes {
		zadd := append(all[n*(1+j):n*(1+j):n*(2+j)], "zadd", &indexes[j])
		for i := range rows {
			zadd = append(zadd, &rows[i].Scores[j], &rows[i].Key)
		}
		p.Ack(ctx, zadd...)
	}
}

func queueTombstones(ctx context.Context, p *wire.Pipeline, e *engine.Effect, hash *string) {
	tomb := engine.Bytes(layout.Tombstone(e.Generation + 1))
	hset := wire.Command("hset", hash, 2*len(e.Marks))
	for i := range e.Marks {
		hset = append(hset, &e.Marks[i].Key, &tomb)
	}
	p.Ack(ctx, hset...)
}

func queueRemoval(ctx context.Context, p *wire.Pipeline, marks []engine.Mark, indexes []string) {
	for j := range indexes {
		queueKeys(ctx, p, "zrem", &indexes[j], marks)
	}
}

func queueKeys(ctx context.Context, p *wire.Pipeline, name string, key *string, marks []engine.Mark) {
	if len(marks) == 0 {
		return
	}
	p.Ack(ctx, scripts.AppendKeys(wire.Command(name, key, len(marks)), marks)...)
}

// failedWithin returns ErrLost if a command of a transaction has failed. That cannot happen unless a permission was lost between a
// command and EXEC. Then the other commands were run, and the table is damaged.
func failedWithin(exec []byte) error {
	if err := wire.FailedWithin(exec); err != nil {
		return fmt.Errorf("%w: a transaction failed half way: %w", engine.ErrLost, err)
	}
	return nil
}
