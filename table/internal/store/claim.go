package store

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// Claim says how Open claims the table.
type Claim struct {
	Schema    layout.Schema   // the definition's
	Dropping  layout.Dropping // what becomes of attributes and indexes that it does not have
	Owner     string          // the owner's name, for people
	Reset     bool            // drop what is there
	Feed      bool            // there is to be a feed
	Lease     time.Duration
	Yield     bool // do not claim the table while another owner holds a lease
	Preflight wire.Preflight
	Judge     Judge // compares scores before the claim
}

// Claimed is a table at the moment of its claim.
type Claimed struct {
	wire.Moment
	Client   *wire.Client // under the schema
	Schema   layout.Schema
	Building int       // how many of the last indexes are not complete
	Holder   string    // as whom the owner holds the lease
	Sent     time.Time // before the claim was sent: the lease lasts from then on at least
}

// Open checks the server, loads the scripts, compares some stored scores with the definition's, and then, in one step, makes this
// process the table's owner, and the stored schema one that the definition fits. Where a merge is being folded and other indexes are
// wanted, the table is first claimed under the stored schema, and the fold is done under that. When ctx ends it returns at once; a call
// that hangs in a socket ends by itself later. If the outcome of a claim is unknown, the error is ErrUnknownOutcome.
func Open(ctx context.Context, c *wire.Client, how Claim) (Claimed, error) {
	o := &opening{client: c, Claim: how}
	if err := untilEnded(ctx, c, func() error { return o.prepare(ctx) }, func() error { return o.own(ctx) }); err != nil {
		return Claimed{}, err
	}
	return o.claimed, nil
}

// untilEnded calls prepare and then change, and returns at once when ctx ends. Then a call that hangs in a socket ends by itself
// later. A change that was not begun before ctx ended is not begun later; one that was begun has an unknown outcome.
func untilEnded(ctx context.Context, c *wire.Client, prepare, change func() error) error {
	done, since := make(chan error, 1), time.Now()
	var decided atomic.Bool // set by the goroutine before it begins the change, or at the end of ctx, so that it never begins
	go func() {
		err := prepare()
		if err == nil && decided.CompareAndSwap(false, true) {
			err = change()
		}
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		err := c.EndedWaiting(ctx, since)
		if decided.CompareAndSwap(false, true) {
			return err
		}
		return engine.Because(engine.ErrUnknownOutcome, err)
	}
}

func prepare(ctx context.Context, c *wire.Client, f wire.Preflight) error {
	if err := c.CheckServer(ctx, f); err != nil {
		return err
	}
	return c.Load(ctx)
}
