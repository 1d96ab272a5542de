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
// ready to use. Where the stored table has other attributes or indexes than def it makes do with that: attributes that are new are absent,
// and so zero, in the rows that there are; indexes that are new, or have another Version, are built in the background, and reads by them
// say ErrIndexBuilding until they are complete; for what def does not have see WithDropping. The order of attributes and indexes does
// not matter. An earlier owner, in this process or elsewhere, gets ErrFenced from then on. What that
// owner staged but did not merge is dropped; a fold that it left half way goes on. Open waits for answers
// until ctx ends; that Redis cannot be reached is an error as soon as the client has given up. Once Open
// has returned ctx no longer matters. rdb stays the caller's.
//
// It fails with ErrInvalidDefinition, with ErrUnsafeClient (a client without read time-out, one
// that reads from replicas, a server that may evict the table), with ErrSchemaMismatch (another
// codec of the key or of an attribute; see WithReset), with ErrHeld (see WithLease), with ErrLost (keys are missing), or with what Redis says. A failing Open changes
// nothing and fences nobody. Only if its error Is ErrUnknownOutcome it may have done so: ctx or the
// connection ended while the table was being claimed. Where a merge is being folded and the indexes change, Open first takes the
// table over as it is and waits for the fold, whose errors are of this kind, too; meanwhile it renews its lease. An Open that fails gives
// the lease up, if it can.
//
// Before the claim Open compares some stored scores with those that the indexes compute from the same
// records: a hundred of each index that stays and is not Unstored, spread over it (fewer if the rows are large). If a
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
	schema := def.schema()
	c := wire.NewClient(rdb, layout.KeysOf(def.Name, schema.Names()), schema.Text(), scripts.All())
	claimed, err := store.Open(ctx, c, store.Claim{
		Schema:    schema,
		Dropping:  o.dropping,
		Owner:     o.owner,
		Reset:     o.reset,
		Feed:      o.feedBytes > 0,
		Lease:     o.lease,
		Yield:     o.yields,
		Preflight: wire.Preflight{Evictable: o.evictable, Logger: o.logger},
		Judge:     def.judge,
	})
	if err != nil {
		return fail(err)
	}
	t := &Table[R, K]{handle: handle[R, K]{coder: def.coderUnder(claimed.Schema), buffer: o.buffer}, given: def}
	t.owner = startOwner(&o, claimed, def.keepsRows(), t.scoreOf)
	t.handle.base = t.owner.base
	return t, nil
}

// startOwner starts the goroutines of a claimed table. keepsRows tells that records share the memory of their rows. score computes the
// scores of rows for indexes that are built.
func startOwner(o *options, claimed store.Claimed, keepsRows bool, score store.Score) *owner {
	c := claimed.Client
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
	t.builds = store.NewBuilds(claimed, pool, score, t.actor.Complete, logger)
	t.folds.AnswerTo(t.actor, t.builds.Begin)
	t.builds.Begin()
	t.lease = startLease(store.NewLease(c, claimed.Epoch, o.lease), t.actor, claimed, o.lease, logger)
	t.base = &base{
		name:    c.Keys.Table,
		indexes: claimed.Schema.Names(),

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
