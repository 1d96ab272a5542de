package scan

import (
	"context"
	"errors"
	"fmt"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// Before anything in an answer is decoded, the answer must prove that the table has this owner, that its rows have our layout, and
// that nothing of it is lost, in this order. The authority is told of ErrFenced and ErrLost, so that writes end, too. A caller is
// told ErrLost only after it was confirmed: see wire.Client.Confirm.

// answer returns the answer to a request, after its proof was checked.
func (r *Reader) answer(ctx context.Context, q request) (response, error) {
	if err := r.Alive(ctx); err != nil {
		return response{}, err
	}
	acked := r.authority.Acked()
	a, err := r.batcher.put(ctx, q)
	if err == nil {
		err = r.check(a.Answer, acked)
	}
	switch {
	case errors.Is(err, engine.ErrLost):
		return r.confirm(ctx, q, acked)
	case errors.Is(err, engine.ErrFenced):
		r.authority.FoundBroken(err)
	}
	return a, err
}

// confirm sends a request once more, to a server that is a primary for certain, and returns its answer. If the table has gone back, or
// has no truth, the authority is told that it has ended. Other losses may be repaired.
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

// isDoubtful tells whether an answer says ErrLost, which must be confirmed.
func (r *Reader) isDoubtful(a response, acked uint64, err error) bool {
	if err == nil {
		err = r.check(a.Answer, acked)
	}
	return errors.Is(err, engine.ErrLost)
}

// check returns why an answer must not be believed. acked is the number that was acknowledged before the request was sent.
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

// isPresent tells whether an answer is of this owner's table and not older than what was acknowledged.
func (r *Reader) isPresent(a wire.Answer, acked uint64) bool {
	return a.Epoch == r.authority.Epoch() && a.View.Seq >= acked
}
