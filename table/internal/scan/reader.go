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
	client    *wire.Client
	authority Authority
	batcher   *batcher
	confirmer *batcher // what it is given once more, through connections of its own, decides whether the table is lost
	memory    *budget
	tasks     tasks
	keepsRows bool
	pageBytes atomic.Int64 // less than it was where the server cannot send so much
	rows      wire.Average // bytes of rows that were read
	widest    atomic.Int64 // no row has more bytes, as far as was seen
	answers   wire.Average // bytes of pages that scripts have answered with
}

// Config is how a Reader works.
type Config struct {
	PageBytes int   // about how many bytes of rows a page has
	Memory    int64 // bytes that all readers in a hurry may hold
	KeepsRows bool  // records share the memory of their rows: give each row memory of its own
}

// NewReader returns a Reader that believes what a says. It starts goroutines, which Close ends.
func NewReader(c *wire.Client, a Authority, cfg Config) *Reader {
	r := &Reader{client: c, authority: a, memory: newBudget(cfg.Memory), keepsRows: cfg.KeepsRows,
		batcher:   startBatcher(c, pipelines, sendPooled(c)),
		confirmer: startBatcher(c, 1, c.ConfirmAll)}
	r.pageBytes.Store(int64(cfg.PageBytes))
	return r
}

// Close ends waiting reads with ErrClosed, and waits for all goroutines: those of Go, and those that wait for a socket, at most
// two read time-outs of the client. The authority is done before.
func (r *Reader) Close() {
	r.batcher.stop()
	r.confirmer.stop()
	r.tasks.wait()
}

// Go runs f in a goroutine that Close waits for. After Close it returns ErrClosed.
func (r *Reader) Go(f func()) error { return r.tasks.start(f) }

// Alive answers for reads that need not ask Redis: it returns why ctx, or reading, has ended.
func (r *Reader) Alive(ctx context.Context) error {
	if ctx.Err() != nil {
		return engine.Ended(ctx)
	}
	return r.authority.Err()
}

// Prove asks Redis whether the table is this owner's, and whole.
func (r *Reader) Prove(ctx context.Context) error {
	_, err := r.Stats(ctx)
	return err
}

// runScript returns the answer to a script call.
func (r *Reader) runScript(ctx context.Context, call []any) (wire.Answer, error) {
	response, err := r.answer(ctx, request{call: call})
	return response.Answer, err
}

// runOwnerScript is runScript for calls that work on a table that is not whole, be it that it went back.
func (r *Reader) runOwnerScript(ctx context.Context, call []any) (wire.Answer, error) {
	q, acked := request{call: call}, r.authority.Acked()
	a, err := r.batcher.put(ctx, q)
	if r.isDoubtful(a, acked, err) {
		a, err = r.confirmer.put(ctx, q)
	}
	if err == nil {
		err = a.Err(r.authority.Epoch())
	}
	if errors.Is(err, engine.ErrFenced) {
		r.authority.FoundBroken(err)
	}
	return a.Answer, err
}
