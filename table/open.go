package table

import (
	"context"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"github.com/tablecache-go/tablecache/cleanup"
	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/scan"
	"github.com/tablecache-go/tablecache/table/internal/store"
	"github.com/tablecache-go/tablecache/table/internal/wire"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// Open takes over the table that def describes, or makes it if there is none, and returns it
// ready to use. An earlier owner, in this process or elsewhere, gets ErrFenced from then on. What that
// owner staged but did not merge is dropped; a fold that it left half way goes on. Open waits for answers
// until ctx ends; that Redis cannot be reached is an error as soon as the client has given up. Once Open
// has returned ctx no longer matters. rdb stays the caller's.
//
// It fails with ErrInvalidDefinition, with ErrUnsafeClient (a client without read time-out, one
// that reads from replicas, a server that may evict the table), with ErrSchemaMismatch (see
// WithReset), with ErrHeld (see WithLease), with ErrLost (keys are missing), or with what Redis says. A failing Open changes
// nothing and fences nobody. Only if its error Is ErrUnknownOutcome it may have done so: ctx or the
// connection ended while the table was being claimed.
//
// Before the claim Open compares some stored scores with those that the indexes compute from the same
// records: a hundred of each index that is not Unstored, spread over it (fewer if the rows are large). If a
// score differs the error is ErrSchemaMismatch: the function is another one, or it needs what is not stored. A
// sample is no proof: it misses what is rare, and what an earlier owner writes between the sample and the claim.
func Open[R any, K comparable](ctx context.Context, rdb redis.UniversalClient, def Definition[R, K], opts ...Option) (*Table[R, K], error) {
	o := resolve(opts)
	fail := func(err error) (*Table[R, K], error) { return nil, fmt.Errorf("table %s: open: %w", def.Name, err) }
	def.Attributes, def.Indexes = slices.Clone(def.Attributes), slices.Clone(def.Indexes)
	if err := def.validate(); err != nil {
		return fail(err)
	}
	if err := wire.CheckClient(rdb, def.Name); err != nil {
		return fail(err)
	}
	c := wire.NewClient(rdb, layout.KeysOf(def.Name, indexNames(def.Indexes)), def.schema().Text(), scripts.All())
	claimed, err := store.Open(ctx, c, store.Claim{
		Schema:    def.schema(),
		Owner:     o.owner,
		Reset:     o.reset,
		Feed:      o.feedBytes > 0,
		Lease:     o.lease,
		Yield:     o.yields,
		Preflight: wire.Preflight{Evictable: o.evictable, Logger: o.logger},
		Sampled:   def.comparable(),
		Judge:     def.judge,
	})
	if err != nil {
		return fail(err)
	}
	own := startOwner(c, &o, claimed, def.keepsRows())
	return &Table[R, K]{owner: own, handle: handle[R, K]{base: own.base, coder: coder[R, K]{def: def}, buffer: o.buffer}}, nil
}

func indexNames[R any](indexes []Index[R]) []string {
	var names []string
	for _, x := range indexes {
		names = append(names, x.name)
	}
	return names
}

// startOwner starts the goroutines of a claimed table. keepsRows tells that records share the memory of their rows.
func startOwner(c *wire.Client, o *options, claimed store.Claimed, keepsRows bool) *owner {
	pool, release := o.cleanupPool()
	logger := o.logger.With(zap.String("table", c.Keys.Table))
	t := &owner{
		store:   store.New(c, claimed.Epoch, o.feedBytes, logger),
		folds:   store.NewFolds(c, pool, claimed.Epoch),
		release: release,
		logger:  logger,
		timeout: wire.ReadTimeout(c.Redis),
		stages:  mostAtomic,
	}
	if o.through {
		t.stages = mostBeside
	}
	t.actor = engine.Start(engine.Config{
		Mailbox: o.mailbox,
		Grace:   o.grace,
		Tries:   o.tries,

		WriteThrough: o.through,

		Logger: logger,
		Fold:   t.folds.Begin,
	}, t.store, claimed.View)
	t.folds.AnswerTo(t.actor)
	t.lease = startLease(store.NewLease(c, claimed.Epoch, o.lease), t.actor, claimed, o.lease, logger)
	t.base = &base{
		name:   c.Keys.Table,
		reader: scan.NewReader(c, scan.Owned(authority{t.actor}, claimed.Epoch), scan.Config{PageBytes: o.pageBytes, Memory: o.memory, KeepsRows: keepsRows}),
	}
	return t
}

// cleanupPool returns the pool in which the table folds, and a function that gives it back.
func (o *options) cleanupPool() (*cleanup.Pool, func()) {
	if o.pool != nil {
		return o.pool, func() {}
	}
	return cleanup.Acquire()
}
