package table

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/engine"
)

// lane is a connection of the writer's own, on which rows are stored and deleted by plain commands: each argument of a script
// costs the server a Lua string, which is more than all the rest of a large write. All keys of the table are WATCHed there, and
// looked at after that. So a transaction that follows either finds the table as it was seen, or does nothing: when a later
// owner, a later effect of ours or anybody else has changed a key meanwhile. Then the script decides what to make of it.
//
// One pipeline stores a batch and prepares for the next:
//
//	HSET, ZADD for each index, EVAL seal, EXEC, WATCH, looks, MULTI
//
// MULTI comes with the pipeline before: what follows one that the server has refused would run at once, and unguarded. seal is
// sent as text: inside a transaction a forgotten script would leave rows without their number and count.
type lane struct {
	*wire
	epoch string
	conn  *redis.Conn // nil: there is none; else it watches and is in a transaction
	armed *seen       // what was found since it watches; nil: it is not what the table must be
	off   bool        // the server or the client is not made for it
}

// open tells whether there is a connection; it makes one where it can.
func (l *lane) open(ctx context.Context) bool {
	if l.off {
		l.drop()
	}
	if l.conn != nil || l.off {
		return l.conn != nil
	}
	node := l.node(ctx)
	if node == nil || crowded(node) {
		return false
	}
	// A copy of the client, for a Conn shares its client's options without its lock, and both may write to them. Closing an
	// EphemeralConn ends what it watches.
	l.conn = node.WithTimeout(node.Options().ReadTimeout).EphemeralConn()
	p := l.conn.Pipeline()
	next := l.queueWatch(ctx, p)
	flush(ctx, p)
	l.arm(next)
	return l.conn != nil
}

// node returns the client of the table's node, or nil.
func (l *lane) node(ctx context.Context) *redis.Client {
	switch c := l.rdb.(type) {
	case *redis.Client:
		l.off = l.scripts.dialect == plain
		if !l.off {
			return c
		}
	case *redis.ClusterClient:
		if node, err := c.MasterForKey(ctx, l.keys.meta); err == nil {
			return node
		}
	default:
		l.off = true
	}
	return nil
}

// crowded tells whether a lane would take from the client's pool what others may need.
func crowded(node *redis.Client) bool {
	s := node.PoolStats()
	return 2*(s.TotalConns-s.IdleConns+1) > uint32(node.Options().PoolSize)
}

// drop closes the connection: what it may still carry must not be taken for the answer to something else.
func (l *lane) drop() {
	if l.conn != nil {
		_ = l.conn.Close() // nothing hangs on it any more
	}
	l.conn, l.armed = nil, nil
}

func queue(ctx context.Context, p redis.Pipeliner, args ...any) once {
	cmd := once{redis.NewCmd(ctx, args...)}
	_ = p.Process(ctx, cmd) // only queued
	return cmd
}

// travels tells whether plain commands can do all of e: nothing is to be compared or found out.
func travels(e *engine.Effect) bool {
	return len(e.Rows) > 0 || len(e.Marks) > 0 && howToMark(e) == "all"
}

// transact has the effect if nothing has changed since the keys are watched. When it has not done it, and err is nil, it
// certainly never will.
func (l *lane) transact(ctx context.Context, e *engine.Effect) (r engine.Result, done bool, err error) {
	if l.armed == nil || l.armed.view.Seq != e.Prev || !admits(l.armed.view.State, e.Kind) {
		return engine.Result{}, false, nil
	}
	r = following(l.armed.view, e)
	p := l.conn.Pipeline()
	l.queueChange(ctx, p, e)
	queue(ctx, p, l.fixed.sizes[0]...) // the seal counts too: what the user is not permitted (any more) is
	queue(ctx, p, l.fixed.sizes[2]...) // refused here, of a hash and of a sorted set, and with it the whole
	seal := l.queueSeal(ctx, p, e, r)
	exec := queueRaw(ctx, p, l.fixed.exec...)
	next := l.queueWatch(ctx, p)
	flush(ctx, p)
	l.arm(next)
	err = rawError(exec)
	l.off = l.off || forbidden(seal.Err(), err)
	switch {
	case isServerError(err), err == nil && isNull(exec.Val()): // nothing was done
		return engine.Result{}, false, nil
	case err != nil:
		return engine.Result{}, false, err
	}
	return r, true, failedWithin(exec.Val())
}

func admits(s engine.State, k engine.Kind) bool {
	return s == engine.StateClear || s == engine.StateActive && (k == engine.Stage || k == engine.Discard)
}

// following is what the effect leaves behind. All marks are marked.
func following(v engine.View, e *engine.Effect) engine.Result {
	r := engine.Result{State: v.State, Generation: v.Generation, Version: v.Version,
		Verdicts: slices.Repeat([]engine.Verdict{engine.Marked}, len(e.Marks))}
	switch e.Kind {
	case engine.Stage, engine.Discard:
		r.State = engine.StateActive
	default:
		r.Version++
	}
	return r
}

// failedWithin: what was looked at cannot fail. Should it (a permission was lost between a command and EXEC), the rest was
// done, and the table is not whole.
func failedWithin(replies []byte) error {
	if _, failed, is := bytes.Cut(replies, []byte("\r\n-")); is { // no reply of ours is a text, which might hold anything
		failed, _, _ = bytes.Cut(failed, []byte("\r"))
		return fmt.Errorf("%w: a transaction failed half way: %w", ErrLost, serverError(failed))
	}
	return nil
}

func (l *lane) queueChange(ctx context.Context, p redis.Pipeliner, e *engine.Effect) {
	switch e.Kind {
	case engine.Put:
		queueRows(ctx, p, e.Rows, &l.keys.rows, l.keys.merged)
	case engine.Stage:
		queueRows(ctx, p, e.Rows, &l.keys.staged, l.keys.shadow)
	case engine.Delete:
		queueKeys(ctx, p, "hdel", &l.keys.rows, e.Marks)
		queueRemoval(ctx, p, e.Marks, l.keys.merged)
	case engine.Discard:
		queueTombstones(ctx, p, e, &l.keys.staged)
		queueRemoval(ctx, p, e.Marks, l.keys.shadow)
	}
}

func queueRows(ctx context.Context, p redis.Pipeliner, rows []engine.Row, hash *string, indexes []string) {
	hset := command("hset", hash, 2*len(rows))
	for i := range rows {
		hset = append(hset, &rows[i].Key, &rows[i].Value)
	}
	queue(ctx, p, hset...)
	for j := range indexes {
		zadd := command("zadd", &indexes[j], 2*len(rows))
		for i := range rows {
			zadd = append(zadd, &rows[i].Scores[j], &rows[i].Key)
		}
		queue(ctx, p, zadd...)
	}
}

func queueTombstones(ctx context.Context, p redis.Pipeliner, e *engine.Effect, hash *string) {
	tomb := tombstone(e)
	hset := command("hset", hash, 2*len(e.Marks))
	for i := range e.Marks {
		hset = append(hset, &e.Marks[i].Key, &tomb)
	}
	queue(ctx, p, hset...)
}

func queueRemoval(ctx context.Context, p redis.Pipeliner, marks []engine.Mark, indexes []string) {
	for j := range indexes {
		queueKeys(ctx, p, "zrem", &indexes[j], marks)
	}
}

func queueKeys(ctx context.Context, p redis.Pipeliner, name string, key *string, marks []engine.Mark) {
	queue(ctx, p, appendKeys(command(name, key, len(marks)), marks)...)
}

// command begins a command on a key, with room for n more arguments.
func command(name string, key *string, n int) []any {
	return append(make([]any, 0, 2+n), name, key)
}

// queueSeal writes the truth down: the effect's number, and what there is to count now.
func (l *lane) queueSeal(ctx context.Context, p redis.Pipeliner, e *engine.Effect, r engine.Result) once {
	seq, version := strconv.FormatUint(e.Seq, 10), strconv.FormatUint(r.Version, 10)
	last := make(engine.Bytes, len(r.Verdicts))
	for i, v := range r.Verdicts {
		last[i] = byte(v)
	}
	return queue(ctx, p, "eval", l.scripts.seal.text, 4, &l.keys.meta, &l.keys.rows, &l.keys.staged, &l.keys.shadow[0],
		seq, r.State.String(), version, max(l.armed.widest, widest(e.Rows)), &last)
}

// watched is what was found after the keys were watched, if they were, and whether a transaction was begun.
type watched struct {
	look
	watch, multi once
}

// queueWatch watches all keys, looks at them after that, and begins a transaction.
func (l *lane) queueWatch(ctx context.Context, p redis.Pipeliner) watched {
	ack := queue(ctx, p, l.fixed.watch...)
	look := l.queueLook(ctx, p)
	return watched{watch: ack, look: look, multi: queue(ctx, p, l.fixed.multi...)}
}

// arm makes the next transaction possible, if what was seen is ours and whole.
func (l *lane) arm(k watched) {
	l.armed = nil
	l.off = l.off || forbidden(k.watch.Err(), k.multi.Err())
	if k.cut() || k.watch.Err() != nil || k.multi.Err() != nil {
		l.drop()
		return
	}
	if s, ok := k.seen(len(l.keys.merged)); ok && s.epoch == l.epoch {
		l.armed = &s
	}
}

// forbidden tells whether the user may not run one of the commands.
func forbidden(errs ...error) bool {
	return slices.ContainsFunc(errs, func(err error) bool { return redis.HasErrorPrefix(err, "NOPERM") })
}

// run sends a script call and prepares for the next transaction. After an error it starts anew: the connection may lead to a
// server that the table has left.
func (l *lane) run(ctx context.Context, args []any) (answer, error) {
	reply, err := l.send(ctx, args)
	if err == nil {
		return parseAnswer(reply)
	}
	l.drop()
	if isNoScript(err) || isMoved(err) || errors.Is(err, errNotRun) {
		return l.wire.run(ctx, args)
	}
	return answer{}, err
}

// errNotRun: a script was not even tried.
var errNotRun = errors.New("tablecache: the transaction before could not be discarded")

func (l *lane) send(ctx context.Context, args []any) (any, error) {
	p := l.conn.Pipeline()
	discard := queue(ctx, p, "discard") // unwatches, too
	cmd := queue(ctx, p, args...)
	next := l.queueWatch(ctx, p)
	flush(ctx, p)
	l.arm(next)
	if isServerError(discard.Err()) {
		return nil, errNotRun // only queued, and gone with the connection
	}
	return cmd.Result()
}
