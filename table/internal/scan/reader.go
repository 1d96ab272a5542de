package scan

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// Reader reads one table. It is safe for concurrent use. End it with Close.
type Reader struct {
	client    *wire.Client
	authority Authority
	batcher   *batcher
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
	r := &Reader{client: c, authority: a, batcher: startBatcher(c), memory: newBudget(cfg.Memory), keepsRows: cfg.KeepsRows}
	r.pageBytes.Store(int64(cfg.PageBytes))
	return r
}

// Close ends waiting reads with ErrClosed, and waits for all goroutines: those of Go, and those that wait for a socket, at most
// two read time-outs of the client. The authority is done before.
func (r *Reader) Close() {
	r.batcher.stop()
	r.tasks.wait()
}

// Go runs f in a goroutine that Close waits for. After Close it returns ErrClosed.
func (r *Reader) Go(f func()) error { return r.tasks.start(f) }

// Alive answers for reads that need not ask Redis: it returns why ctx, or reading, has ended.
func (r *Reader) Alive(ctx context.Context) error {
	if ctx.Err() != nil {
		return engine.Ended(ctx)
	}
	select {
	case <-r.authority.Done():
		return engine.ErrClosed
	default:
		return nil
	}
}

// runScript returns the answer to a script call.
func (r *Reader) runScript(ctx context.Context, call []any) (wire.Answer, error) {
	acked := r.authority.Acked()
	response, err := r.batcher.put(ctx, request{call: call})
	if err == nil {
		err = r.check(response.Answer, acked)
	}
	return response.Answer, err
}

// runOwnerScript is runScript for calls that name the owner, and work on a table that is not whole.
func (r *Reader) runOwnerScript(ctx context.Context, call []any) (wire.Answer, error) {
	response, err := r.batcher.put(ctx, request{call: call})
	if err == nil {
		err = response.Err(r.authority.Epoch())
	}
	return response.Answer, err
}

// check returns why an answer may not be believed. acked is what was acknowledged before it was asked for.
func (r *Reader) check(a wire.Answer, acked uint64) error {
	ours := r.authority.Epoch()
	if err := a.Err(ours); err != nil {
		return err
	}
	if a.Epoch == ours && a.View.Seq < acked {
		return fmt.Errorf("%w: it went back before an acknowledged write", engine.ErrLost)
	}
	if a.Epoch.Count() < ours.Count() {
		return wire.Ownership(ours, a.Epoch)
	}
	return nil
}
