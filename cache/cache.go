package cache

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"sync"
	"sync/atomic"

	"go.uber.org/zap"
	"golang.org/x/sync/semaphore"

	"github.com/tablecache-go/tablecache/table"
)

// Cache keeps a table in step with a source. It is safe for concurrent use. Get one with New, end it with Close.
type Cache[R any, K comparable] struct {
	options
	table     *table.Table[R, K]
	def       table.Definition[R, K]
	source    Source[R]
	keySource KeySource[R, K] // nil: the source is none

	books    books[K]
	plan     *semaphore.Weighted // whoever has it changes what is held
	staging  *semaphore.Weighted // whoever has it stages, or writes the note
	learning *semaphore.Weighted // whoever has it reads the note
	changes  flights[struct{}]   // of what is held
	throughs flights[[]R]        // reads of the source
	reloads  atomic.Uint64       // how many have begun to fetch
	untold   chan struct{}       // holds one if the note may not tell all that is invalid
	done     chan struct{}       // closed when the cache or its table has ended
	counted  counted

	ctx    context.Context // ends with the cache
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup
}

// New returns a cache of what src has in t, which it does not close. From then on the table's note is the cache's: whoever else writes it has
// nothing covered any more. Whoever else writes records should tell the source, too. One cache at a time may have a table.
//
// What the note says is covered is so again. But what was fetched before is of unknown age: it is invalid, unless the source remembers
// what has changed (see Replayed). ctx bounds New alone. The errors are those of table.Table.Note.
func New[R any, K comparable](ctx context.Context, t *table.Table[R, K], src Source[R], opts ...Option) (*Cache[R, K], error) {
	c := &Cache[R, K]{options: resolve(opts), table: t, def: t.Definition(), source: src}
	c.keySource, _ = src.(KeySource[R, K])
	c.logger = c.logger.With(zap.String("table", t.Name()))
	h, v, err := c.readNote(ctx)
	if err != nil {
		return nil, c.errorf("new", err)
	}
	c.books.begin(h, v)
	c.ctx, c.cancel = context.WithCancelCause(context.Background())
	c.plan, c.staging, c.learning = semaphore.NewWeighted(1), semaphore.NewWeighted(1), semaphore.NewWeighted(1)
	c.untold, c.done = make(chan struct{}, 1), make(chan struct{})
	c.changes = flights[struct{}]{ctx: c.ctx, wg: &c.wg, flying: make(map[string]*flight[struct{}])}
	c.throughs = flights[[]R]{ctx: c.ctx, wg: &c.wg, flying: make(map[string]*flight[[]R])}
	c.tellSoon()
	c.wg.Go(c.tell)
	c.wg.Go(c.end)
	if c.reloadEvery > 0 {
		c.wg.Go(func() { every(c.ctx, c.reloadEvery, c.Reload) })
	}
	return c, nil
}

// Close ends all calls under way that fetch, or wait for a fetch, with table.ErrClosed, scheduled ones too, and waits for what the cache has
// started: for the source to notice that its context has ended. Reads of the table that have begun go on. The table stays open. Close may be called more than once. The error is always nil.
func (c *Cache[R, K]) Close() error {
	c.cancel(table.ErrClosed)
	c.changes.closed()
	c.throughs.closed()
	c.wg.Wait()
	return nil
}

// end closes done when the cache or its table ends.
func (c *Cache[R, K]) end() {
	select {
	case <-c.ctx.Done():
	case <-c.table.Done():
	}
	close(c.done)
}

// Done returns a channel that is closed when the cache is closed, or its table has ended: then Err says why.
func (c *Cache[R, K]) Done() <-chan struct{} { return c.done }

// Err returns nil as long as Done is open. After that it is table.ErrClosed, or what the table's Err says.
func (c *Cache[R, K]) Err() error {
	select {
	case <-c.done:
	default:
		return nil
	}
	if err := c.table.Err(); err != nil {
		return err
	}
	return table.ErrClosed
}

// Coverage returns what is covered, as far as the cache knows: it does not ask Redis.
func (c *Cache[R, K]) Coverage() Coverage {
	now := c.books.at.Load().now
	now.Spans = append([]Span(nil), now.Spans...)
	return now
}

// checkSpec checks an index, and intervals of it.
func (c *Cache[R, K]) checkSpec(index string, in []table.Interval) error {
	_, err := c.def.Query(table.Spec[R]{Index: index, Intervals: in})
	return err
}

// errorf adds the table's name and what was done to an error.
func (c *Cache[R, K]) errorf(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("cache %s: %s: %w", c.table.Name(), what, err)
}

// flightName names what a call does: equal calls have equal names.
func flightName(what, index string, in []table.Interval) string {
	b := strconv.AppendQuote([]byte(what+" "), index)
	for _, i := range in {
		b = binary.BigEndian.AppendUint64(b, math.Float64bits(i.GE))
		b = binary.BigEndian.AppendUint64(b, math.Float64bits(i.LT))
	}
	return string(b)
}
