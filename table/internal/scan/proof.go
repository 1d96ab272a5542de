package scan

import (
	"context"
	"errors"
	"fmt"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// An answer proves, before anything in it is decoded, that the table is this owner's, that its rows are of our layout, and that
// nothing of it is lost; scripts look at the counts only after the other two. ErrFenced and ErrLost are the authority's to know,
// so that writes end with it, too. Nobody is told ErrLost by one connection of the pool alone: see wire.Client.Confirm.

// answer has a request answered, with the proof.
func (r *Reader) answer(ctx context.Context, q request) (response, error) {
	if err := r.Alive(ctx); err != nil {
		return response{}, err
	}
	acked := r.authority.Acked()
	a, err := r.batcher.put(ctx, q)
	if r.isDoubtful(a, acked, err) {
		return r.confirm(ctx, q, acked)
	}
	if err == nil {
		err = r.check(a.Answer, acked)
	}
	if errors.Is(err, engine.ErrFenced) {
		r.authority.FoundBroken(err)
	}
	return a, err
}

// confirm has a request answered once more, by a primary for certain. If the table has gone back, or has no owner, that is final;
// what is lost otherwise may be repaired.
func (r *Reader) confirm(ctx context.Context, q request, acked uint64) (response, error) {
	q.scan = nil
	a, err := r.confirmer.put(ctx, q)
	if err != nil {
		return a, err
	}
	err = r.check(a.Answer, acked)
	if err == nil {
		r.client.DropIdle(ctx)
	}
	if errors.Is(err, engine.ErrFenced) || errors.Is(err, engine.ErrLost) && !r.isPresent(a.Answer, acked) {
		r.authority.FoundBroken(err)
	}
	return a, err
}

// isDoubtful tells whether an answer says that the table is lost.
func (r *Reader) isDoubtful(a response, acked uint64, err error) bool {
	if err == nil {
		err = r.check(a.Answer, acked)
	}
	return errors.Is(err, engine.ErrLost)
}

// check returns why an answer may not be believed. acked is what was acknowledged before it was asked for.
func (r *Reader) check(a wire.Answer, acked uint64) error {
	ours := r.authority.Epoch()
	switch {
	case a.Epoch != "" && a.Epoch != ours:
		return wire.Ownership(ours, a.Epoch)
	case a.Epoch == ours && a.View.Seq < acked:
		return fmt.Errorf("%w: it went back before an acknowledged write", engine.ErrLost)
	}
	return a.Err(ours)
}

// isPresent tells whether an answer is of this owner's table, no older than what was acknowledged.
func (r *Reader) isPresent(a wire.Answer, acked uint64) bool {
	return a.Epoch == r.authority.Epoch() && a.View.Seq >= acked
}
