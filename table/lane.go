package table

import (
	"context"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/engine"
)

// lane is a connection of the writer's own, on which rows are stored by plain commands: each argument of a script costs
// the server a Lua string, which is more than all the rest of a large write. All keys of the table are WATCHed there, and
// looked at after that. So a transaction that follows either finds the table as it was seen, or does nothing: when a later
// owner, a later effect of ours or anybody else has changed a key meanwhile. Then the script decides what to make of it.
//
// One pipeline stores a batch and prepares for the next:
//
//	MULTI, HSET, ZADD for each index, EVAL seal, EXEC, WATCH, looks
//
// seal is sent as text: inside a transaction a forgotten script would leave rows without their number and count.
type lane struct {
	*wire
	epoch string
	conn  *redis.Conn  // nil: there is none
	armed *engine.View // what was seen since the keys are watched; nil: they are not
	off   bool         // the server or the client is not made for it
}

// open tells whether there is a connection; it makes one where it can.
func (l *lane) open(ctx context.Context) bool {
	if l.conn != nil || l.off {
		return l.conn != nil
	}
	node := l.node(ctx)
	if node == nil || crowded(node) {
		return false
	}
	l.conn = node.EphemeralConn() // closing it ends what it watches
	err := l.probe(ctx)
	if err != nil {
		l.drop()
	}
	l.off = isServerError(err) && !temporary(err)
	return err == nil
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

// probe makes sure that transactions are permitted: without MULTI its commands would run one by one.
func (l *lane) probe(ctx context.Context) error {
	p := l.conn.Pipeline()
	queue(ctx, p, "unwatch")
	queue(ctx, p, "multi")
	queue(ctx, p, "eval", "return 1", 0)
	queue(ctx, p, "exec")
	_, err := p.Exec(ctx)
	return err
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

// transact stores the rows of e if nothing has changed since the keys are watched. When it has not stored them, and err
// is nil, it certainly never will.
func (l *lane) transact(ctx context.Context, e *engine.Effect) (r engine.Result, stored bool, err error) {
	if l.armed == nil || l.armed.Seq != e.Prev || !admits(l.armed.State, e.Kind) {
		return engine.Result{}, false, nil
	}
	r = following(*l.armed, e.Kind)
	p := l.conn.Pipeline()
	queue(ctx, p, "multi")
	l.queueRows(ctx, p, e)
	l.queueSeal(ctx, p, e, r)
	exec := queue(ctx, p, "exec")
	look := l.queueLook(ctx, p)
	_, _ = p.Exec(ctx) // each command has its error
	l.arm(look)
	switch err := exec.Err(); {
	case err == nil:
		return r, true, failedWithin(exec)
	case err == redis.Nil, isServerError(err): // nothing was done
		return engine.Result{}, false, nil
	default:
		return engine.Result{}, false, err
	}
}

func admits(s engine.State, k engine.Kind) bool {
	return s == engine.StateClear || s == engine.StateActive && k == engine.Stage
}

// following is what the effect leaves behind.
func following(v engine.View, k engine.Kind) engine.Result {
	if k == engine.Stage {
		return engine.Result{State: engine.StateActive, Generation: v.Generation, Version: v.Version}
	}
	return engine.Result{State: v.State, Generation: v.Generation, Version: v.Version + 1}
}

// failedWithin: what was looked at cannot fail; should it, the outcome must be settled.
func failedWithin(exec once) error {
	replies, err := exec.Slice()
	for _, reply := range replies {
		if failed, is := reply.(error); is {
			err = fmt.Errorf("tablecache: a transaction failed half way: %w", failed)
		}
	}
	return err
}

func (l *lane) queueRows(ctx context.Context, p redis.Pipeliner, e *engine.Effect) {
	rows, indexes := &l.keys.rows, l.keys.merged
	if e.Kind == engine.Stage {
		rows, indexes = &l.keys.staged, l.keys.shadow
	}
	hset := append(make([]any, 0, 2+2*len(e.Rows)), "hset", rows)
	for i := range e.Rows {
		hset = append(hset, &e.Rows[i].Key, &e.Rows[i].Value)
	}
	queue(ctx, p, hset...)
	for j := range indexes {
		zadd := append(make([]any, 0, 2+2*len(e.Rows)), "zadd", &indexes[j])
		for i := range e.Rows {
			zadd = append(zadd, &e.Rows[i].Scores[j], &e.Rows[i].Key)
		}
		queue(ctx, p, zadd...)
	}
}

// queueSeal writes the truth down: the effect's number and what there is to count now.
func (l *lane) queueSeal(ctx context.Context, p redis.Pipeliner, e *engine.Effect, r engine.Result) {
	seq, version := strconv.FormatUint(e.Seq, 10), strconv.FormatUint(r.Version, 10)
	queue(ctx, p, "eval", l.scripts.seal.text, 4, &l.keys.meta, &l.keys.rows, &l.keys.staged, &l.keys.shadow[0],
		seq, r.State.String(), version)
}

// look is what there is, all of it seen after the keys were watched.
type look struct {
	truth once
	sizes []once // of rows, staged rows, each index, each staged index
}

func (l *lane) queueLook(ctx context.Context, p redis.Pipeliner) look {
	watch := append(make([]any, 0, 1+len(l.keys.all)), "watch")
	for i := range l.keys.all {
		watch = append(watch, &l.keys.all[i])
	}
	queue(ctx, p, watch...)
	k := look{truth: queue(ctx, p, "hmget", &l.keys.meta, "epoch", "seq", "gen", "state", "rver", "count", "staged", "live")}
	for i := range l.keys.all[1:] {
		command := "zcard"
		if i < 2 {
			command = "hlen"
		}
		k.sizes = append(k.sizes, queue(ctx, p, command, &l.keys.all[1+i]))
	}
	return k
}

// arm makes the next transaction possible, if what was seen is ours and whole.
func (l *lane) arm(k look) {
	l.armed = nil
	for _, cmd := range append(k.sizes, k.truth) {
		if err := cmd.Err(); err != nil && !isServerError(err) {
			l.drop()
			return
		}
	}
	truth, _ := k.truth.StringSlice()
	if len(truth) == 8 && truth[0] == l.epoch && k.holds(truth[5], truth[6], truth[7], len(l.keys.merged)) {
		l.armed = parseTruth(truth)
	}
}

// holds tells whether everything that was counted is still there.
func (k look) holds(count, staged, live string, indexes int) bool {
	for i, cmd := range k.sizes {
		n, err := cmd.Int64()
		want := live
		switch {
		case i == 1:
			want = staged
		case i < 2+indexes:
			want = count
		}
		if err != nil || strconv.FormatInt(n, 10) != want {
			return false
		}
	}
	return true
}

// parseTruth returns nil for what cannot be read: the script will say why.
func parseTruth(truth []string) *engine.View {
	a := answer{}
	if a.parseView([]any{nil, nil, truth[1], truth[2], truth[3], truth[4]}) != nil {
		return nil
	}
	return &a.view
}

// run sends a script call and prepares for the next transaction.
func (l *lane) run(ctx context.Context, args []any) (answer, error) {
	cmd, err := l.send(ctx, args)
	if isNoScript(err) {
		if err := l.scripts.load(ctx, l.rdb); err != nil {
			return answer{}, err
		}
		if !l.open(ctx) {
			return l.wire.run(ctx, args)
		}
		cmd, err = l.send(ctx, args)
	}
	if err != nil {
		return answer{}, err
	}
	return parseAnswer(cmd.Val())
}

func (l *lane) send(ctx context.Context, args []any) (once, error) {
	p := l.conn.Pipeline()
	cmd := queue(ctx, p, args...)
	queue(ctx, p, "unwatch")
	look := l.queueLook(ctx, p)
	_, _ = p.Exec(ctx) // each command has its error
	l.arm(look)
	return cmd, cmd.Err()
}
