package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/redis/go-redis/v9"
)

// connection is the writer's own. It is taken from the client's pool and kept from one effect to the next. So the store must do what
// the pool does with connections that wait in it: a connection that is too old, has been idle too long, or was made with credentials
// that have been renewed is not used again.
type connection struct {
	conn        *redis.Conn
	sender      redis.Pipeliner // an empty pipeline that is sent on conn, through the client's hooks; it is used again and again
	credentials *credentials
	used        time.Time
	idle        time.Duration // for how long it may be idle; 0: for ever
	until       time.Time     // from when on it is too old; zero: never
}

// connect returns a connection to a node. It is made when it is first used.
func connect(ctx context.Context, node *redis.Client) (*connection, error) {
	// A copy of the client: a Conn shares the options of its client without a lock, and both may write to them. The options of
	// the copy are ours.
	own := node.WithTimeout(node.Options().ReadTimeout)
	o := own.Options()
	c := &connection{used: time.Now(), idle: o.ConnMaxIdleTime}
	var err error
	if c.credentials, err = subscribe(o); err != nil {
		return nil, err
	}
	c.bound(o)
	c.conn = own.EphemeralConn() // closed, it watches nothing any more
	var hooked *redis.Tx
	err = node.Watch(ctx, func(tx *redis.Tx) error {
		hooked = tx // we use it only because it has the client's hooks; nothing is sent here
		return nil
	})
	if err != nil {
		c.close()
		return nil, fmt.Errorf("tablecache: hooks: %w", err)
	}
	hooked.AddHook(diversion{c.conn, c.conn.Pipeline()})
	c.sender = hooked.Pipeline()
	return c, nil
}

// bound sets from when on the connection is too old. The pool does not tell the age of a used connection, so such a one is kept for
// half of ConnMaxLifetime.
func (c *connection) bound(o *redis.Options) {
	if o.ConnMaxLifetime <= 0 {
		return
	}
	c.until = time.Now().Add(o.ConnMaxLifetime / 2)
	onConnect, longest := o.OnConnect, o.ConnMaxLifetime
	if o.ConnMaxLifetimeJitter > 0 {
		longest -= rand.N(o.ConnMaxLifetimeJitter)
	}
	o.OnConnect = func(ctx context.Context, cn *redis.Conn) error {
		c.until = time.Now().Add(longest)
		if onConnect == nil {
			return nil
		}
		return onConnect(ctx, cn)
	}
}

// isStale tells whether the connection must not be used again.
func (c *connection) isStale() bool {
	now := time.Now()
	return c.credentials.renewed.Load() || c.idle > 0 && now.Sub(c.used) >= c.idle || !c.until.IsZero() && !now.Before(c.until)
}

func (c *connection) close() {
	_ = c.conn.Close() // an error would change nothing
	c.credentials.unsubscribe()
}

// diversion is the innermost hook of a redis.Tx. It sends everything on another connection, conn.
type diversion struct {
	conn   *redis.Conn
	sender redis.Pipeliner // an empty pipeline of conn
}

// DialHook changes nothing.
func (diversion) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook diverts a command.
func (d diversion) ProcessHook(redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error { return d.conn.Process(ctx, cmd) }
}

// ProcessPipelineHook diverts a pipeline.
func (d diversion) ProcessPipelineHook(redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		_ = d.sender.BatchProcess(ctx, cmds...) // only queued
		_, err := d.sender.Exec(ctx)
		return err
	}
}
