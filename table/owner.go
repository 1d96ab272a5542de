package table

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/scan"
	"github.com/tablecache-go/tablecache/table/internal/store"
)

// owner is what of an open table does not depend on the type of its records.
type owner struct {
	base    *base
	actor   *engine.Actor
	store   *store.Store
	folds   *store.Folds
	lease   *lease
	release func() // gives the shared pool back
	logger  *zap.Logger
	timeout time.Duration // of the client's reads
	closing sync.Once
	turns   turns // of callers that update the same record
	stages  int   // how many records are staged in one atomic write
}

// Close ends the table in this process: calls that wait and reads under way end with ErrClosed, and
// all goroutines of the table stop. What is stored stays; the next Open drops what is only staged.
// Close waits for the write and the socket reads under way, at most two read time-outs of the client.
// It ends dials, retries and waits for a connection. What does not end even then (a Dialer or a hook
// that hangs) is left to itself and logged. A write whose outcome is not known by then is
// ErrUnknownOutcome. Close may be called more than once, but not from a function that the table calls
// (codec, score, predicate). It does not close the client. The error is always nil.
func (o *owner) Close() error {
	o.closing.Do(o.stop)
	return nil
}

// Done returns a channel that is closed when the table can no longer be written: it is fenced, lost or closed. Err says which. A
// table that nobody uses learns of its end only by its next call; Stats is a cheap one.
func (o *owner) Done() <-chan struct{} { return o.actor.Done() }

// Err returns why the table can no longer be written: the error Is ErrFenced, ErrLost or ErrClosed. The first reason stays, also
// after Close. Before Done is closed Err returns nil.
func (o *owner) Err() error { return o.actor.Err() }

// Clear drops all records, indexes and whatever is staged, in one step and in any state of the
// lock; the generation stays. It ends a fold, and the loops of DeleteSeq and ScratchDiscardSeq. Clear waits
// for long reads, at most the grace period, until ctx ends (as Put does).
func (o *owner) Clear(ctx context.Context) error {
	return o.base.errorf("clear", o.actor.Clear(ctx))
}

// ScratchMerge makes all that is staged visible to readers, in one step that takes as long for a
// million records as for one. If nothing is staged it does nothing. The fold that follows runs
// in the background; see WaitClear. ScratchMerge waits while a session is on that belongs to somebody (see Scratch). After 2^32-1
// merges the error is ErrGenerationsExhausted.
func (o *owner) ScratchMerge(ctx context.Context) error {
	return o.base.errorf("merge", o.proven(ctx, o.actor.Merge))
}

// ScratchAbort drops all that is staged, by whomever, and ends the scratch session that is on. Then regular writes go on.
func (o *owner) ScratchAbort(ctx context.Context) error {
	return o.base.errorf("abort", o.proven(ctx, o.actor.Abort))
}

// WaitClear waits until no scratch is active and the fold of the last merge is done, or ctx ends.
func (o *owner) WaitClear(ctx context.Context) error {
	return o.base.errorf("wait", o.proven(ctx, o.actor.WaitClear))
}

// proven makes a call that may have nothing to do. If no effect was applied meanwhile, nothing has proven that the table is still
// ours, so Redis is asked.
func (o *owner) proven(ctx context.Context, call func(context.Context) error) error {
	before := o.actor.Acked()
	if err := call(ctx); err != nil || o.actor.Acked() != before {
		return err
	}
	return o.base.reader.Prove(ctx)
}

// authority is the table's actor for its reader.
type authority struct{ *engine.Actor }

var _ scan.Owner = authority{}

// Pin returns a pin of the actor's.
func (a authority) Pin(ctx context.Context, read engine.View) (scan.Pin, error) {
	pin, err := a.Actor.Pin(ctx, read)
	if err != nil {
		return nil, err
	}
	return pin, nil
}
