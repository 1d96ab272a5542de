package table

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/store"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// Lease is what is stored of an owner's lease: who holds it, how long it is each time it is renewed, and when it ends by the server's
// clock. It is zero where nobody holds one.
type Lease = wire.Lease

// StoredLease returns the lease of the table of this name, for processes that wait for their turn: one command, which needs the right to
// read. Whether the lease is over is for Open with WithLease to say, by the server's clock. It waits for an answer until ctx ends. It fails
// with ErrInvalidDefinition, with ErrUnsafeClient, with ErrLost (there is something else in the table's place), or with what Redis says.
func StoredLease(ctx context.Context, rdb redis.UniversalClient, name string) (Lease, error) {
	fail := func(err error) (Lease, error) { return Lease{}, fmt.Errorf("table %s: stored lease: %w", name, err) }
	if wrong := layout.WrongTableName(name); wrong != "" {
		return fail(fmt.Errorf("%w: table name: %s", ErrInvalidDefinition, wrong))
	}
	if err := wire.CheckClient(rdb, name); err != nil {
		return fail(err)
	}
	l, err := wire.StoredLease(ctx, rdb, name)
	if err != nil {
		return fail(err)
	}
	return l, nil
}

// Holder names this owner as ErrHeld tells it to others: the owner's name (see WithOwner) and a random id.
func (o *owner) Holder() string { return o.lease.holder }

// LeasedUntil returns until when nobody who opens the table with a lease can have taken it over, by the clock of this process: counted
// from before the last successful renewal was sent. A plain Open, Drop, or a jump of the server's clock may end the ownership earlier;
// Done tells. The time is renewed while the table is open, and is past when Redis could not be reached for too long: that does not end
// the table.
func (o *owner) LeasedUntil() time.Time { return o.lease.leasedUntil() }

// lease renews the owner's lease until the table ends.
type lease struct {
	store  *store.Lease
	actor  *engine.Actor
	holder string
	length time.Duration
	logger *zap.Logger

	ctx       context.Context // of what is sent
	interrupt context.CancelFunc
	parts     sync.WaitGroup
	failed    chan struct{} // a renewal tells keep that it has failed

	mu      sync.Mutex // guards until and failing
	until   time.Time
	failing bool // the last renewal has failed
}

// A lease is renewed store.RenewalsInLease times in its length, and sooner after a failure. A renewal may hang, so several may be under way.
const (
	retriesInLease = 20
	mostRenewals   = 4
)

func startLease(s *store.Lease, actor *engine.Actor, claimed store.Claimed, length time.Duration, logger *zap.Logger) *lease {
	l := &lease{store: s, actor: actor, holder: claimed.Holder, length: length, logger: logger, until: claimed.Sent.Add(length),
		failed: make(chan struct{}, 1)}
	l.ctx, l.interrupt = context.WithCancel(context.Background())
	l.parts.Go(func() { l.keep(claimed.Sent.Add(length / store.RenewalsInLease)) })
	return l
}

// keep renews the lease, for the first time at a given time, until the table ends.
func (l *lease) keep(first time.Time) {
	timer := time.NewTimer(time.Until(first))
	defer timer.Stop()
	places := make(chan struct{}, mostRenewals)
	for {
		select {
		case <-timer.C:
			timer.Reset(l.length / store.RenewalsInLease)
			select {
			case places <- struct{}{}:
				l.parts.Go(func() { l.renew(); <-places })
			default: // Redis hangs
			}
		case <-l.failed:
			timer.Reset(l.length / retriesInLease)
		case <-l.actor.Done():
			return
		}
	}
}

func (l *lease) renew() {
	sent := time.Now() // before it is sent: the server counts from later on
	err := l.store.Renew(l.ctx)
	switch {
	case err == nil:
		l.renewed(sent.Add(l.length))
	case errors.Is(err, ErrFenced), errors.Is(err, ErrLost):
		l.actor.FoundBroken(err)
	default:
		l.notRenewed(err)
	}
}

func (l *lease) renewed(until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failing {
		l.logger.Info("the lease is renewed again")
	}
	l.failing = false
	if until.After(l.until) {
		l.until = until
	}
}

func (l *lease) notRenewed(err error) {
	l.mu.Lock()
	first := !l.failing
	l.failing = true
	until := l.until
	l.mu.Unlock()
	if first && l.ctx.Err() == nil {
		l.logger.Warn("the lease could not be renewed; it is tried again and again", zap.Error(err), zap.Duration("left", time.Until(until)))
	}
	select {
	case l.failed <- struct{}{}:
	default:
	}
}

func (l *lease) leasedUntil() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.until
}

// giveUp ends the lease of a table that was closed, so that a successor need not wait for its end.
func (l *lease) giveUp() {
	l.parts.Wait()
	if !errors.Is(l.actor.Err(), ErrClosed) {
		return // it is not ours, or is not there
	}
	ctx, cancel := context.WithDeadline(l.ctx, l.leasedUntil())
	defer cancel()
	if err := l.store.GiveUp(ctx); err != nil {
		l.logger.Info("the lease could not be given up, and runs out", zap.Error(err))
	}
}
