package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/wire"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// ErrSchemaMismatch: the table in Redis was written under another definition.
var ErrSchemaMismatch = errors.New("tablecache: table has another schema")

// Claim is what Open asks of Redis.
type Claim struct {
	Schema    string
	Reset     bool // drop what is there
	Preflight wire.Preflight
}

// Open looks at the server, tells it the scripts, and makes this process the table's owner, in one step. When ctx ends it
// returns at once: a call that hangs in a socket is left to finish. Where the outcome of the claim is unknown the error is
// ErrUnknownOutcome.
func Open(ctx context.Context, c *wire.Client, how Claim) (wire.Moment, error) {
	type result struct {
		claimed wire.Moment
		err     error
	}
	done, since := make(chan result, 1), time.Now()
	var claiming atomic.Bool
	go func() {
		err := prepare(ctx, c, how.Preflight)
		var m wire.Moment
		if err == nil {
			claiming.Store(true)
			m, err = claim(ctx, c, how)
		}
		done <- result{m, err}
	}()
	select {
	case r := <-done:
		return r.claimed, r.err
	case <-ctx.Done():
		err := c.EndedWaiting(ctx, since)
		if claiming.Load() {
			err = engine.Because(engine.ErrUnknownOutcome, err)
		}
		return wire.Moment{}, err
	}
}

func prepare(ctx context.Context, c *wire.Client, f wire.Preflight) error {
	if err := c.CheckServer(ctx, f); err != nil {
		return err
	}
	return c.Load(ctx)
}

func claim(ctx context.Context, c *wire.Client, how Claim) (wire.Moment, error) {
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails
	call := scripts.Claim{ID: hex.EncodeToString(id[:]), Schema: how.Schema, Reset: how.Reset}
	for {
		a, err := c.Run(ctx, wire.SendAgain, scripts.Open(c, call))
		err = wire.LostToForeignType(err)
		switch {
		case err != nil && !wire.IsRefusal(err) && !errors.Is(err, engine.ErrLost) && !wire.NeverSent(err):
			return wire.Moment{}, engine.Because(engine.ErrUnknownOutcome, err)
		case err != nil:
			return wire.Moment{}, err
		case a.Status == wire.StatusSchema && how.Reset && a.Last != call.Before:
			call.Before = a.Last // now its indexes are known, and can be dropped too
		case a.Status == wire.StatusSchema:
			return wire.Moment{}, ErrSchemaMismatch
		case a.Status != wire.StatusOK:
			return wire.Moment{}, fmt.Errorf("%w: keys of it are missing, or are not its own", engine.ErrLost)
		default:
			return a.Moment, nil
		}
	}
}
