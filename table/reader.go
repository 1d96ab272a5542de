package table

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/scan"
	"github.com/tablecache-go/tablecache/table/internal/wire"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// Reader is a handle that only reads: any number of them, in any processes, read a table that somebody else owns, or that has no
// owner at the moment. It changes no byte in Redis. It is safe for concurrent use. Get one with OpenReader, end it with Close.
//
// An answer of one page is as exact as one of the owner's, and none goes back behind what the Reader had shown before it was asked
// for. If the data in Redis itself goes back (a fail-over to a server that lacks the latest writes, a restore, FLUSHALL), the calls
// that find it, after a second connection has confirmed it, say ErrLost; from then on the Reader shows what is there. Where there
// is no table every call says ErrNoTable; where keys of one are missing, or its counts do not hold, every call says ErrLost. While
// the table has another schema the error is ErrSchemaMismatch. None of these ends the Reader: it goes on as soon as there is a
// table for it. Other errors are those of the client, passed on as they are.
//
// The table may have other attributes and indexes than the Reader's definition, and may get others while it is open: what a row does not
// have is zero, what the definition does not have is passed over. By an index of the definition that the table's owner does not have, or
// not in this version, nothing can be read: ErrIndexBuilding, or ErrUnknownIndex once it was dropped.
type Reader[R any, K comparable] struct {
	*guest
	def    Definition[R, K] // as it was given
	buffer int

	turn sync.Mutex                   // held by who writes to now
	now  atomic.Pointer[handle[R, K]] // reads under the schema that was found last
}

var (
	_ KeyReading[struct{}, string] = (*Reader[struct{}, string])(nil)
	_ NotedReading[struct{}]       = (*Reader[struct{}, string])(nil)
)

// OpenReader returns a handle that reads the table that def describes. It waits for answers until ctx ends, and with WithWait until
// Redis can be reached and there is a table. Once OpenReader has returned ctx no longer matters. rdb stays the caller's. The indexes
// of def need no functions, and those that they have are not called.
//
// Of the options WithWait, WithPageBytes, WithStreamBuffer, WithSnapshotMemory and WithLogger count; all others are about owning a
// table, and are ignored.
//
// It fails with ErrInvalidDefinition, with ErrUnsafeClient (a client without read time-out, one that reads from replicas, a
// replica), with ErrNoTable, with ErrSchemaMismatch, with ErrLost (keys are missing), or with what Redis says.
func OpenReader[R any, K comparable](ctx context.Context, rdb redis.UniversalClient, def Definition[R, K], opts ...Option) (*Reader[R, K], error) {
	o := resolve(opts)
	fail := func(err error) (*Reader[R, K], error) {
		return nil, fmt.Errorf("table %s: open a reader: %w", def.Name, err)
	}
	def.Attributes, def.Indexes = slices.Clone(def.Attributes), scored(def.Indexes)
	if err := def.validate(); err != nil {
		return fail(err)
	}
	if err := wire.CheckClient(rdb, def.Name); err != nil {
		return fail(err)
	}
	schema := def.schema()
	c := wire.NewReadingClient(rdb, layout.KeysOf(def.Name, schema.Names()), schema.Text(), scripts.Reading())
	prepare := func() error { return c.Prepare(ctx, wire.Preflight{Evictable: true, Logger: o.logger}) }
	if err := o.wait.patiently(ctx, c, prepare); err != nil {
		return fail(err)
	}
	g := startGuest(c, scan.Config{PageBytes: o.pageBytes, Memory: o.memory, KeepsRows: def.keepsRows(), Snapshots: scan.Copied}, &o)
	r := &Reader[R, K]{guest: g, def: def, buffer: o.buffer}
	r.now.Store(r.handleUnder(g.base.reader, schema))
	prove := func() error {
		return r.read(ctx, func(h *handle[R, K]) error { return h.reader.Prove(ctx) })
	}
	if err := o.wait.patiently(ctx, c, prove); err != nil {
		g.leave(ctx)
		return fail(err)
	}
	return r, nil
}

// scored returns the indexes, each with a function: a handle that only reads needs none.
func scored[R any](indexes []Index[R]) []Index[R] {
	indexes = slices.Clone(indexes)
	for i := range indexes {
		if indexes[i].score == nil {
			indexes[i].score = func(*R) float64 { return 0 }
		}
	}
	return indexes
}

// How long OpenReader pauses before it looks again for a table: longer and longer.
const (
	firstSearch = 2 * time.Millisecond
	lastSearch  = 250 * time.Millisecond
)

// patiently calls f. If wait says so, it calls f again until Redis can be reached and there is a table, or ctx ends.
func (w waiting) patiently(ctx context.Context, c *wire.Client, f func() error) error {
	for pause := firstSearch; ; pause = min(2*pause, lastSearch) {
		err := f()
		if w == mustBeThere || ctx.Err() != nil || !errors.Is(err, ErrNoTable) && !wire.IsAway(err) {
			return err
		}
		if err := c.Pause(ctx, pause); err != nil {
			return err
		}
	}
}
