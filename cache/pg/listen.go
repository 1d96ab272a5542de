package pg

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/tablecache-go/tablecache/cache"
	"github.com/tablecache-go/tablecache/table"
)

// Invalidator is who is told of changes: a *cache.Cache is one.
type Invalidator[K comparable] interface {
	// Invalidate says that the records may have changed whose scores in an index are in the intervals.
	Invalidate(index string, in ...table.Interval) error
	// InvalidateKeys says that the records with these keys may have changed. Without keys it does nothing, but tells whether it could.
	InvalidateKeys(keys ...K) error
	// Refresh returns nil when all that was invalidated before is fetched anew and stored.
	Refresh(ctx context.Context) error
	// Replayed says that all has been told that has changed until now, also while nobody listened.
	Replayed()
	// Done returns a channel that is closed when nothing can be fetched or stored any more: the cache is closed, or its table has ended.
	Done() <-chan struct{}
	// Err returns why Done is closed, and nil before.
	Err() error
}

var _ Invalidator[int] = (*cache.Cache[any, int])(nil)

// Changes says what Listen listens to.
type Changes[K comparable] struct {
	Name  string // that of a Trigger. No two caches have the same: what one has done is gone for the other
	Index string // any index of the cache: by which everything is invalidated
	// Key makes a key from the text that a Trigger has recorded. A row of which it cannot invalidates everything; so does each, if Key is nil:
	// for a cache whose source does not fetch by key.
	Key func(text string) (K, error)
}

// Listen tells to of what was recorded as pending (see Install), has it refreshed, and takes it off the table of what is pending when that has
// been stored: so nothing is forgotten, whoever fails in between. It blocks until ctx ends, and returns its error; or until the cache does, which
// is noticed at once: table.ErrClosed, table.ErrFenced and table.ErrLost. A cache that has no KeySource though from has a Key is refused at once.
//
// Whatever else fails is tried again, after 100 ms at first and 30 s at most, and silently: give it WithLogger or WithFailures. That nothing is ever
// recorded, because there is no trigger, cannot be noticed: see Install.
//
// Invalidations are told within some tens of milliseconds of a commit, also while a refresh is under way or fails: so readers who want it know
// that they must wait. To read your own write call InvalidateKeys of the cache after the commit, and then read Fresh. Two at once, as in a take-over, do no harm if one of the caches cannot write any more.
//
// Listen takes connections from the pool for moments, and one for good, which it takes out of the pool: LISTEN needs one of its own.
func Listen[K comparable](ctx context.Context, pool *pgxpool.Pool, to Invalidator[K], from Changes[K], opts ...ListenOption) error {
	o := resolve(opts)
	if from.Key != nil {
		if err := to.InvalidateKeys(); err != nil {
			return fmt.Errorf("pg: listen: %w", err)
		}
	}
	o.logger = o.logger.With(zap.String("name", from.Name))
	rows := pending{pool: pool, in: o.pending, name: from.Name}
	hints, told := make(chan struct{}, 1), newLedger()
	e := ear{pool: pool, channel: channel(o.pending), name: from.Name, hints: hints, logger: o.logger}
	t := teller[K]{to: to, from: from, table: rows, told: told, hints: hints, options: o}
	r := refresher{refresh: to.Refresh, table: rows, told: told, options: o}
	g, inner := errgroup.WithContext(ctx)
	g.Go(func() error { return outlive(inner, to) })
	g.Go(func() error { return e.run(inner) })
	g.Go(func() error { return t.run(inner) })
	g.Go(func() error { return r.run(inner) })
	err := g.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("pg: listen: %w", err)
}

// outlive waits for the end of a cache, and returns its error.
func outlive[K comparable](ctx context.Context, to Invalidator[K]) error {
	select {
	case <-to.Done():
		return to.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ListenOption is something that Listen can be told.
type ListenOption func(*options)

type options struct {
	poll    time.Duration
	pending pgx.Identifier
	failed  func(error)
	logger  *zap.Logger
}

func resolve(given []ListenOption) options {
	o := options{poll: time.Second, pending: pendingOr(nil), failed: func(error) {}, logger: zap.NewNop()}
	for _, apply := range given {
		apply(&o)
	}
	return o
}

// WithPoll sets how often Listen looks for what is pending without having been notified of it: notifications are a hint, and may be lost. The
// default is 1 s; zero or less: the default.
func WithPoll(d time.Duration) ListenOption {
	return func(o *options) {
		if d > 0 {
			o.poll = d
		}
	}
}

// WithPending sets where pending invalidations are: what Trigger.Pending says, with its schema. The default is public.tablecache_pending.
func WithPending(table pgx.Identifier) ListenOption {
	return func(o *options) { o.pending = pendingOr(table) }
}

// WithFailures has each failure told that is tried again: the database cannot be read, or a refresh fails. f is called by Listen's goroutines, maybe
// by two at once, which wait for it.
func WithFailures(f func(error)) ListenOption {
	return func(o *options) {
		if f != nil {
			o.failed = f
		}
	}
}

// WithLogger has failures logged. By default nothing is logged. Keys never are.
func WithLogger(l *zap.Logger) ListenOption {
	return func(o *options) {
		if l != nil {
			o.logger = l
		}
	}
}

// tell tells of a failure that is tried again.
func (o *options) tell(what string, err error) {
	o.logger.Warn(what+"; it is tried again", zap.Error(err))
	o.failed(fmt.Errorf("pg: %s: %w", what, err))
}
