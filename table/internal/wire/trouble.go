package wire

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/tablecache-go/tablecache/engine"
)

// trouble is the error of the latest call of Redis for a table; nil if that call went well. It is safe for concurrent use.
type trouble struct{ err atomic.Pointer[error] }

// Note notes how a call of Redis has ended. A refusal counts as an answer, and so as going well, unless it is one that passes. It has a
// cluster's client ask again which node is the table's, where another one may be by now: go-redis itself does so only when a node says
// that, which one that is gone, or was made a replica, need not do.
func (c *Client) Note(err error) {
	if err != nil && (IsAway(err) || isMoved(err) || errors.Is(err, ErrReplica)) { // nil, the most frequent case, allocates nothing
		c.findNode()
	}
	switch {
	case err != nil && (!IsRefusal(err) || Passes(err)):
		latest := err // err itself would be allocated in each call
		c.trouble.err.Store(&latest)
	case c.trouble.err.Load() != nil:
		c.trouble.err.Store(nil)
	}
}

// EndedWaiting returns the error of a caller whose context has ended. It has waited for Redis since the given time.
func (c *Client) EndedWaiting(ctx context.Context, since time.Time) error {
	w := &engine.WaitError{For: engine.WaitRedis, Since: since}
	if err := c.trouble.err.Load(); err != nil {
		w.Err = *err
	}
	return engine.EndedWaiting(ctx, w)
}
