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
	Lease     time.Duration
	Yield     bool // do not claim the table while another owner holds a lease
	Preflight wire.Preflight
	Sampled   []int // the indexes whose scores are compared before the claim
	Judge     Judge // compares them
}

// Claimed is a table at the moment of its claim.
type Claimed struct {
	wire.Moment
	Holder string    // as whom the owner holds the lease
	Sent   time.Time // before the claim was sent: the lease lasts from then on at least
}

// Open checks the server, loads the scripts, compares some stored scores with the definition's, and then, in one step, makes this
// process the table's owner. When ctx ends it returns at once; a call that hangs in a socket ends by itself later. If the outcome of
// the claim is unknown, the error is ErrUnknownOutcome.
func Open(ctx context.Context, c *wire.Client, how Claim) (Claimed, error) {
	var claimed Claimed
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
		return Claimed{}, err
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

func claim(ctx context.Context, c *wire.Client, how Claim) (Claimed, error) {
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails
	call := scripts.Claim{ID: hex.EncodeToString(id[:]), Schema: how.Schema.Text(), Owner: how.Owner, Reset: how.Reset, Feed: how.Feed,
		Lease: how.Lease, Yield: how.Yield}
	for {
		sent := time.Now()
		a, err := c.Run(ctx, wire.SendAgain, scripts.Open(c, call))
		if wire.IsReplicas(err) || isDoubtful(a, err, "") { // a connection of the pool may lead elsewhere
			a, err = confirmed(ctx, c, "", scripts.Open(c, call))
		}
		switch {
		case err == nil && a.Status == wire.StatusOK:
			return Claimed{Moment: a.Moment, Holder: scripts.Holder(call), Sent: sent}, nil
		case err == nil && a.Status == wire.StatusSchema && how.Reset && a.Last != call.Before:
			call.Before = a.Last // now its indexes are known, and can be dropped too
		default:
			return Claimed{}, notClaimed(c, how, a, wire.LostToForeignType(err))
		}
	}
}

// notClaimed returns why a claim has failed.
func notClaimed(c *wire.Client, how Claim, a wire.Answer, err error) error {
	switch {
	case err != nil && !wire.IsRefusal(err) && !errors.Is(err, engine.ErrLost) && !wire.NeverSent(err):
		return engine.Because(engine.ErrUnknownOutcome, err)
	case err != nil:
		return err
	case a.Status == wire.StatusHeld:
		return scripts.ReadHeld(&a)
	case a.Status == wire.StatusSchema:
		return mismatch(c, layout.Differences(a.Last, how.Schema))
	}
	return fmt.Errorf("%w: keys of it are missing, or are not its own", engine.ErrLost)
}
