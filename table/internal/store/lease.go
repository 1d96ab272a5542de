package store

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// Lease is what an owner does with its lease. It is safe for concurrent use.
type Lease struct {
	client *wire.Client
	epoch  layout.Epoch
	length time.Duration
}

// NewLease returns the lease of the owner that epoch names.
func NewLease(c *wire.Client, epoch layout.Epoch, length time.Duration) *Lease {
	return &Lease{client: c, epoch: epoch, length: length}
}

// ErrGivenUp: the lease was given up, and cannot be renewed any more.
var ErrGivenUp = errors.New("tablecache: the lease was given up")

// Renew has the lease last for its length from now on. ErrFenced and ErrLost, wrapped or not, are certain: the table has another owner,
// or is not there any more. After GiveUp the error is ErrGivenUp.
func (l *Lease) Renew(ctx context.Context) error {
	a, err := certain(ctx, l.client, l.epoch, scripts.Renew(l.client, l.epoch, l.length))
	if err != nil {
		return wire.LostToForeignType(err)
	}
	if a.Status == wire.StatusStale {
		return ErrGivenUp
	}
	return a.Err(l.epoch)
}

// GiveUp gives the lease up. If that fails it runs out by itself.
func (l *Lease) GiveUp(ctx context.Context) error {
	_, err := l.client.Run(ctx, wire.SendOnce, scripts.GiveUp(l.client, l.epoch))
	return err
}

// RenewalsInLease is how often a lease is renewed in its length.
const RenewalsInLease = 6

// during calls f, and renews the lease until it returns. A renewal that fails ends nothing: f is told itself when the table is another's.
func (l *Lease) during(ctx context.Context, f func() error) error {
	ctx, end := context.WithCancel(ctx)
	var keeper sync.WaitGroup
	defer keeper.Wait()
	defer end()
	keeper.Go(func() { l.keep(ctx) })
	return f()
}

// keep renews the lease until ctx ends.
func (l *Lease) keep(ctx context.Context) {
	ticker := time.NewTicker(l.length / RenewalsInLease)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			_ = l.Renew(ctx)
		case <-ctx.Done():
			return
		}
	}
}
