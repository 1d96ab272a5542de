package wire

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/tablecache-go/tablecache/engine"
)

// trouble is what went wrong last between a table and Redis, if nothing has gone well since. It is safe for concurrent use.
type trouble struct{ last atomic.Pointer[error] }

// Note notes how a call of Redis has ended. A server that answers is there, unless it says that this passes.
func (c *Client) Note(err error) {
	switch {
	case err != nil && (!IsRefusal(err) || Passes(err)):
		c.trouble.last.Store(&err)
	case c.trouble.last.Load() != nil:
		c.trouble.last.Store(nil)
	}
}

// EndedWaiting returns the error of a caller whose context has ended while it waited for Redis since then.
func (c *Client) EndedWaiting(ctx context.Context, since time.Time) error {
	w := &engine.WaitError{For: engine.WaitRedis, Since: since}
	if last := c.trouble.last.Load(); last != nil {
		w.Err = *last
	}
	return engine.EndedWaiting(ctx, w)
}
