package store

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/feed"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// transaction applies effects by plain commands, on the writer's own connection. A script would be slower: each of its arguments
// costs the server a Lua string, which is more than all the rest of a large write. All keys of the table are WATCHed on the
// connection, and probed after that. So the next transaction either finds the table as it was probed, or does nothing, because
// somebody has changed a key meanwhile. Then a script finds out what has happened.
//
// One pipeline applies an effect and prepares for the next:
//
//	HSET, ZADD for each index, HLEN, ZCARD, EVAL seal, EXEC, WATCH, probe, MULTI
//
// MULTI comes with the pipeline before: if the server refused a MULTI, the commands behind it would run at once, and unguarded.
type transaction struct {
	client *wire.Client
	epoch  layout.Epoch
	logger *zap.Logger
	own    *connection // watches the keys, with a transaction begun; nil: there is no connection
	armed  *wire.Truth // the truth that was probed after WATCH; nil: it is not as expected, so no transaction is possible
	proven bool        // own has run a transaction
	off    bool        // transactions are not available with this server or client
	vain   int         // how often in a row a connection has failed before it ran a transaction
	again  time.Time   // from when on another connection may be made after that
}

// maybeConnect makes a connection if there is none and one may be made. It tells whether there is one.
func (t *transaction) maybeConnect(ctx context.Context, e *scripts.Effect) bool {
	if t.off || t.own != nil && t.own.isStale() {
		t.disconnect()
	}
	if t.off || t.own != nil {
		return t.own != nil
	}
	node, err := t.node(ctx)
	t.off = errors.Is(err, errUnfit)
	if err != nil || crowded(node) || time.Now().Before(t.again) {
		return false
	}
	if t.own, err = connect(ctx, node); err != nil {
		t.own = nil
		t.fail(err)
		return false
	}
	p := t.pipeline()
	eval := p.Ack(ctx, "eval", "return 1", 0)
	next := t.queueWatch(ctx, p, e, e.Prev)
	next.eval = eval
	p.Flush(ctx, t.own.sender)
	t.arm(next)
	return t.own != nil
}

// errUnfit: transactions are not possible with this type of client or with this server.
var errUnfit = errors.New("tablecache: no transactions with this client or server")

// node returns the client of the table's node.
func (t *transaction) node(ctx context.Context) (*redis.Client, error) {
	node, err := t.client.Node(ctx)
	if errors.Is(err, wire.ErrNoNode) || !t.client.IsModern() {
		return nil, errUnfit
	}
	return node, err
}

// crowded tells whether more than half of the client's pool would be in use with a connection of the writer's own.
func crowded(node *redis.Client) bool {
	s := node.PoolStats()
	return 2*(s.TotalConns-s.IdleConns+1) > uint32(node.Options().PoolSize)
}

// disconnect closes the connection, because an answer that is still on its way there must not be taken for another one.
func (t *transaction) disconnect() {
	if t.own != nil {
		t.own.close()
	}
	t.own, t.armed, t.proven = nil, nil, false
}

// fail disconnects because the connection has failed. If connections fail twice or more in a row before they have run a transaction,
// the next one is made only after a pause: something between us and the server may always cut them.
func (t *transaction) fail(err error) {
	if t.proven {
		t.vain = 0
	}
	t.disconnect()
	t.vain++
	t.again = time.Now().Add(pauseAfter(t.vain))
	if t.vain == manyInVain {
		t.logger.Warn("the writer's own connection fails again and again: effects go by scripts, and it is tried now and then", zap.Error(err))
	}
}

const (
	manyInVain       = 8
	firstVainPause   = 100 * time.Millisecond
	longestVainPause = time.Minute
)

// pauseAfter returns how long to wait before the next connection after so many have failed: 0 after the first, then longer and
// longer.
func pauseAfter(vain int) time.Duration {
	if vain < 2 {
		return 0
	}
	return min(firstVainPause<<min(vain-2, 16), longestVainPause)
}

// refuse disconnects because a command of the transaction was refused. If the command is not available on a new connection, there
// are no transactions from then on. (An old connection proves less: its user's rights may have changed.)
func (t *transaction) refuse(command string, err error) {
	if wire.IsUnavailable(err) && !t.proven {
		t.off = true
		t.logger.Warn("transactions cannot be had here: effects go by scripts, which is slower", zap.String("command", command), zap.Error(err))
	}
	t.disconnect()
}

// apply applies the effect if no key has changed since the keys are watched. If applied is false and err is nil, the effect was not
// applied and never will be by this call.
func (t *transaction) apply(ctx context.Context, e *scripts.Effect) (r engine.Result, applied bool, err error) {
	if t.armed == nil || t.armed.View.Seq != e.Prev || !admits(t.armed.View.State, e.Effect) {
		return engine.Result{}, false, nil
	}
	r = resultOf(t.armed.View, e.Effect)
	p := t.pipeline()
	seal, sealed := t.queueEffect(ctx, p, e, r)
	exec := wire.QueueRaw(ctx, p, t.client.Commands.Exec...)
	next := t.queueWatch(ctx, p, e, e.Seq)
	tooLong := p.Flush(ctx, t.own.sender)
	err = sealed.Explain(wire.RawError(exec))
	switch {
	case tooLong != nil:
		err = tooLong // the server has run nothing from this command on
		t.disconnect()
	case wire.IsUnavailable(seal.Err()):
		t.refuse("eval", seal.Err())
	case wire.IsRefusal(err) && !wire.IsAborted(err):
		t.refuse("exec", err)
	default:
		t.proven = t.proven || err == nil
		t.arm(next)
	}
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

// pipeline returns a pipeline with room for an effect and what comes after it.
func (t *transaction) pipeline() *wire.Pipeline {
	acks := 8 + 2*len(t.client.Keys.Merged) // entry, rows, entries of both kinds, sizes, seal, WATCH, MULTI, one to spare
	return wire.NewPipeline(acks+3+len(t.client.Commands.Sizes), acks)
}

// watched are the commands that watch the keys, probe them, and begin a transaction.
type watched struct {
	probe        wire.Probe
	eval         *wire.Ack // only on a new connection
	watch, multi *wire.Ack
	ahead        *wire.Brief // entries of the feed behind the table's number; nil: there is no feed
}

// queueWatch watches all keys, probes them after that, and begins a transaction. seq is the number that the table has then.
func (t *transaction) queueWatch(ctx context.Context, p *wire.Pipeline, e *scripts.Effect, seq uint64) watched {
	w := watched{watch: p.Ack(ctx, t.client.Commands.Watch...), probe: t.client.QueueProbe(ctx, p)}
	if e.Trim != layout.NoFeed {
		w.ahead = wire.QueueBrief(ctx, p, feed.Ahead(&t.client.Keys.Feed, layout.Position{Epoch: t.epoch, Seq: seq})...)
	}
	w.multi = p.Ack(ctx, t.client.Commands.Multi...)
	return w
}

// feedFits tells whether the feed takes the next entry: it is one, and has none behind the table's number.
func (w *watched) feedFits() bool {
	if w.ahead == nil {
		return true
	}
	r := wire.NewReply(w.ahead.Val())
	return w.ahead.Err() == nil && r.List() == 0 && r.Err() == nil
}

// arm makes the next transaction possible, if the probe has found this owner's table and nothing is missing.
func (t *transaction) arm(w watched) {
	t.armed = nil
	switch {
	case w.probe.Err() != nil:
		t.fail(w.probe.Err())
	case w.eval != nil && w.eval.Err() != nil: // if a proxy has refused EVAL, the server would run the rest of the transaction
		t.refuse("eval", w.eval.Err())
	case w.watch.Err() != nil:
		t.refuse("watch", w.watch.Err())
	case w.multi.Err() != nil:
		t.refuse("multi", w.multi.Err())
	case w.ahead != nil && wire.IsUnavailable(w.ahead.Failure()):
		t.refuse("xrevrange", w.ahead.Failure())
	default:
		t.maybeArm(w)
	}
}

func (t *transaction) maybeArm(w watched) {
	t.own.used = time.Now()
	if found, ok := w.probe.Truth(); ok && found.Epoch == t.epoch && w.feedFits() {
		t.armed = &found
	}
}

// runScript sends a script call on the connection, and prepares for the next transaction. After an error it disconnects, because the
// connection may lead to a server that the table has left.
func (t *transaction) runScript(ctx context.Context, e *scripts.Effect, call []any) (wire.Answer, error) {
	reply, err := t.sendScript(ctx, e, call)
	if err == nil {
		return wire.ParseAnswer(reply)
	}
	t.disconnect()
	if wire.MustBeSentElsewhere(err) || errors.Is(err, errNotRun) {
		return t.client.Run(ctx, wire.SendOnce, call)
	}
	return wire.Answer{}, err
}

// errNotRun: a script was not run.
var errNotRun = errors.New("tablecache: the transaction before could not be ended")

// sendScript first ends the transaction that was begun before. It does so by EXEC, which has nothing to run: DISCARD would be one more
// command that may not be available.
func (t *transaction) sendScript(ctx context.Context, e *scripts.Effect, call []any) (any, error) {
	p := t.pipeline()
	end := wire.QueueRaw(ctx, p, t.client.Commands.Exec...)
	sha := wire.Departing(call)
	cmd := wire.QueueOnce(ctx, p, call...)
	next := t.queueWatch(ctx, p, e, e.Seq)
	p.Flush(ctx, t.own.sender)
	if err := wire.RawError(end); wire.IsRefusal(err) && !wire.IsAborted(err) {
		t.refuse("exec", err)
		return nil, errNotRun // the script was only queued in the transaction, which ends with the connection
	}
	t.arm(next)
	reply, err := cmd.Result()
	return reply, sha.Explain(err)
}
