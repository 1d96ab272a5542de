package scan

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// Reader reads one table. It is safe for concurrent use. End it with Close.
type Reader struct {
	client *wire.Client // under the schema that rows are read by
	*core
}

// core is what Readers of one table share that read it under different schemas.
type core struct {
	authority Authority
	batcher   *batcher
	confirmer *batcher // sends requests once more, through new connections, to confirm a loss
	memory    *budget
	tasks     tasks
	keepsRows bool
	snapshots Snapshots
	pageBytes atomic.Int64 // about how many bytes of rows a page has; narrow lowers it
	rows      wire.Average // bytes of rows
	widest    atomic.Int64 // the truth's field widest, as it was read last
	answers   wire.Average // bytes of scripts' answers with a page
}

// Config is how a Reader works.
type Config struct {
	PageBytes int   // about how many bytes of rows a page has
	Memory    int64 // bytes that all readers in a hurry may hold
	KeepsRows bool  // records share the memory of their rows, so each row needs memory of its own
	Snapshots Snapshots
}

// Snapshots says how a read of several pages becomes one moment.
type Snapshots int

// The ways to make a snapshot.
const (
	Pinned Snapshots = iota // the authority keeps what readers see as it is
	Copied                  // all that is asked for is copied, and the change feed makes the copy whole
)

// NewReader returns a Reader under the authority a. It starts goroutines, which Close ends.
func NewReader(c *wire.Client, a Authority, cfg Config) *Reader {
	r := &Reader{client: c, core: &core{authority: a, memory: newBudget(cfg.Memory), keepsRows: cfg.KeepsRows, snapshots: cfg.Snapshots,
		batcher:   startBatcher(c, pipelines, sendPooled(c)),
		confirmer: startBatcher(c, 1, c.ConfirmAll)}}
	r.pageBytes.Store(int64(cfg.PageBytes))
	return r
}

// On returns a Reader of the same table that reads rows of another schema, of which it is given the indexes and the text. It shares
// everything else with r: close one of them.
func (r *Reader) On(indexes []string, schema string) *Reader {
	return &Reader{client: r.client.On(indexes, schema), core: r.core}
}

// Close ends waiting reads with ErrClosed, and waits for all goroutines: those of Go, and those that wait for a socket. End the
// authority first.
func (r *Reader) Close() {
	r.batcher.stop()
	r.confirmer.stop()
	r.tasks.wait()
}

// Go runs f in a goroutine that Close waits for. After Close it returns ErrClosed.
func (r *Reader) Go(f func()) error { return r.tasks.start(f) }

// Alive returns why ctx or the table has ended; nil if neither has. It answers reads that need not ask Redis.
func (r *Reader) Alive(ctx context.Context) error {
	if ctx.Err() != nil {
		return engine.Ended(ctx)
	}
	return r.authority.Err()
}

// Done returns a channel that is closed when the table ends for this process; after that Err returns why.
func (r *Reader) Done() <-chan struct{} { return r.authority.Done() }

// Err returns why the table has ended; nil while it has not.
func (r *Reader) Err() error { return r.authority.Err() }

// Prove asks Redis whether the table still has this owner, and whether all of it is there.
func (r *Reader) Prove(ctx context.Context) error {
	_, _, err := r.Stats(ctx)
	return err
}

// runScript returns the answer to a script call.
func (r *Reader) runScript(ctx context.Context, call []any) (wire.Answer, error) {
	response, err := r.answer(ctx, request{call: call})
	return response.Answer, err
}

// runOwnerScript is runScript for calls that also work on a table of which something is missing, or that has gone back.
func (r *Reader) runOwnerScript(ctx context.Context, call []any) (wire.Answer, error) {
	q, since := request{call: call}, r.authority.Shown()
	a, err := r.batcher.put(ctx, q)
	if isDoubtful(r.verdict(ctx, a, since, err)) {
		a, err = r.confirmer.put(ctx, q)
	}
	if err == nil {
		err = a.Err(r.authority.Epoch())
	}
	if errors.Is(err, engine.ErrFenced) {
		r.authority.Conclude(a.Answer, since, err)
	}
	return a.Answer, err
}
