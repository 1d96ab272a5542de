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
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// Claim says how Open claims the table.
type Claim struct {
	Schema    layout.Schema
	Owner     string // the owner's name, for people
	Reset     bool   // drop what is there
	Feed      bool   // there is to be a feed
	Preflight wire.Preflight
	Sampled   []int // the indexes whose scores are compared before the claim
	Judge     Judge // compares them
}

// Open checks the server, loads the scripts, compares some stored scores with the definition's, and then, in one step, makes this
// process the table's owner. When ctx ends it returns at once; a call that hangs in a socket ends by itself later. If the outcome of
// the claim is unknown, the error is ErrUnknownOutcome.
func Open(ctx context.Context, c *wire.Client, how Claim) (wire.Moment, error) {
	var claimed wire.Moment
	err := untilEnded(ctx, c, func() error {
		err := prepare(ctx, c, how.Preflight)
		if err == nil && !how.Reset {
			err = compareScores(ctx, c, how)
		}
		return err
	}, func() (err error) {
		claimed, err = claim(ctx, c, how)
		return err
	})
	if err != nil {
		return wire.Moment{}, err
	}
	return claimed, nil
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

func claim(ctx context.Context, c *wire.Client, how Claim) (wire.Moment, error) {
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails
	call := scripts.Claim{ID: hex.EncodeToString(id[:]), Schema: how.Schema.Text(), Owner: how.Owner, Reset: how.Reset, Feed: how.Feed}
	for {
		a, err := c.Run(ctx, wire.SendAgain, scripts.Open(c, call))
		if wire.IsReplicas(err) || isDoubtful(a, err, "") { // a connection of the pool may lead elsewhere
			a, err = confirmed(ctx, c, "", scripts.Open(c, call))
		}
		err = wire.LostToForeignType(err)
		switch {
		case err != nil && !wire.IsRefusal(err) && !errors.Is(err, engine.ErrLost) && !wire.NeverSent(err):
			return wire.Moment{}, engine.Because(engine.ErrUnknownOutcome, err)
		case err != nil:
			return wire.Moment{}, err
		case a.Status == wire.StatusSchema && how.Reset && a.Last != call.Before:
			call.Before = a.Last // now its indexes are known, and can be dropped too
		case a.Status == wire.StatusSchema:
			return wire.Moment{}, mismatch(c, layout.Differences(a.Last, how.Schema))
		case a.Status != wire.StatusOK:
			return wire.Moment{}, fmt.Errorf("%w: keys of it are missing, or are not its own", engine.ErrLost)
		default:
			return a.Moment, nil
		}
	}
}
