package store

import (
	"context"
	"errors"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// transaction applies effects by plain commands, on a connection of the writer's own: each argument of a script costs the
// server a Lua string, which is more than all the rest of a large write. All keys of the table are WATCHed there, and probed
// after that. So a transaction that follows either finds the table as it was probed, or does nothing: when a later owner, a
// later effect of ours or anybody else has changed a key meanwhile. Then a script decides what to make of it.
//
// One pipeline applies an effect and prepares for the next:
//
//	HSET, ZADD for each index, EVAL seal, EXEC, WATCH, probe, MULTI
//
// MULTI comes with the pipeline before: what follows one that the server has refused would run at once, and unguarded.
type transaction struct {
	client *wire.Client
	epoch  layout.Epoch
	conn   *redis.Conn // nil: there is none; else it watches and is in a transaction
	armed  *wire.Truth // what was probed since it watches; nil: it is not what the table must be
	off    bool        // the server or the client is not made for it
}

// maybeConnect makes a connection where there is none and one can be had. It tells whether there is one.
func (t *transaction) maybeConnect(ctx context.Context) bool {
	if t.off {
		t.disconnect()
		return false
	}
	if t.conn != nil {
		return true
	}
	node, err := t.node(ctx)
	t.off = errors.Is(err, errUnfit)
	if err != nil || crowded(node) {
		return false
	}
	// A copy of the client, for a Conn shares its client's options without its lock, and both may write to them. Closing an
	// EphemeralConn ends what it watches.
	t.conn = node.WithTimeout(node.Options().ReadTimeout).EphemeralConn()
	p := t.conn.Pipeline()
	next := t.queueWatch(ctx, p)
	wire.Flush(ctx, p)
	t.arm(next)
	return t.conn != nil
}

// errUnfit: transactions cannot be had here.
var errUnfit = errors.New("tablecache: no transactions with this client or server")

// node returns the client of the table's node.
func (t *transaction) node(ctx context.Context) (*redis.Client, error) {
	switch c := t.client.Redis.(type) {
	case *redis.Client:
		if t.client.IsModern() {
			return c, nil
		}
	case *redis.ClusterClient:
		return c.MasterForKey(ctx, t.client.Keys.Truth)
	}
	return nil, errUnfit
}

// crowded tells whether a connection of the writer's own would take from the client's pool what others may need.
func crowded(node *redis.Client) bool {
	s := node.PoolStats()
	return 2*(s.TotalConns-s.IdleConns+1) > uint32(node.Options().PoolSize)
}

// disconnect closes the connection: what it may still carry must not be taken for the answer to something else.
func (t *transaction) disconnect() {
	if t.conn != nil {
		_ = t.conn.Close() // nothing hangs on it any more
	}
	t.conn, t.armed = nil, nil
}

// apply applies the effect if nothing has changed since the keys are watched. When it was not applied, and err is nil, it
// certainly never will be.
func (t *transaction) apply(ctx context.Context, e *engine.Effect) (r engine.Result, applied bool, err error) {
	if t.armed == nil || t.armed.View.Seq != e.Prev || !admits(t.armed.View.State, e.Kind) {
		return engine.Result{}, false, nil
	}
	r = resultOf(t.armed.View, e)
	p := t.conn.Pipeline()
	seal, sealed := t.queueEffect(ctx, p, e, r)
	exec := wire.QueueRaw(ctx, p, t.client.Commands.Exec...)
	next := t.queueWatch(ctx, p)
	tooLong := wire.Flush(ctx, p)
	t.arm(next)
	if err = sealed.Explain(wire.RawError(exec)); tooLong != nil {
		err = tooLong // what comes behind it was not run
	}
	t.off = t.off || wire.IsForbidden(seal.Err()) || wire.IsForbidden(err)
	switch {
	case tooLong != nil: // a script would only be refused as well
		return engine.Result{}, false, err
	case wire.IsRefusal(err), err == nil && wire.IsNull(exec.Val()): // nothing was done
		return engine.Result{}, false, nil
	case err != nil:
		return engine.Result{}, false, err
	}
	return r, true, failedWithin(exec.Val())
}

// watched is what was found after the keys were watched, if they were, and whether a transaction was begun.
type watched struct {
	probe        wire.Probe
	watch, multi wire.Once
}

// queueWatch watches all keys, probes them after that, and begins a transaction.
func (t *transaction) queueWatch(ctx context.Context, p redis.Pipeliner) watched {
	watch := wire.Queue(ctx, p, t.client.Commands.Watch...)
	probe := t.client.QueueProbe(ctx, p)
	return watched{watch: watch, probe: probe, multi: wire.Queue(ctx, p, t.client.Commands.Multi...)}
}

// arm makes the next transaction possible, if what was found is ours and whole.
func (t *transaction) arm(w watched) {
	t.armed = nil
	t.off = t.off || wire.IsForbidden(w.watch.Err()) || wire.IsForbidden(w.multi.Err())
	if w.probe.Interrupted() || w.watch.Err() != nil || w.multi.Err() != nil {
		t.disconnect()
		return
	}
	if found, ok := w.probe.Truth(); ok && found.Epoch == t.epoch {
		t.armed = &found
	}
}

// runScript sends a script call on the connection, and prepares for the next transaction. After an error it starts anew: the
// connection may lead to a server that the table has left.
func (t *transaction) runScript(ctx context.Context, call []any) (wire.Answer, error) {
	reply, err := t.sendScript(ctx, call)
	if err == nil {
		return wire.ParseAnswer(reply)
	}
	t.disconnect()
	if wire.MustBeSentElsewhere(err) || errors.Is(err, errNotRun) {
		return t.client.Run(ctx, wire.SendOnce, call)
	}
	return wire.Answer{}, err
}

// errNotRun: a script was not even tried.
var errNotRun = errors.New("tablecache: the transaction before could not be discarded")

func (t *transaction) sendScript(ctx context.Context, call []any) (any, error) {
	p := t.conn.Pipeline()
	discard := wire.Queue(ctx, p, "discard") // unwatches, too
	sha := wire.Departing(call)
	cmd := wire.Queue(ctx, p, call...)
	next := t.queueWatch(ctx, p)
	wire.Flush(ctx, p)
	t.arm(next)
	if wire.IsRefusal(discard.Err()) {
		return nil, errNotRun // only queued, and gone with the connection
	}
	reply, err := cmd.Result()
	return reply, sha.Explain(err)
}
