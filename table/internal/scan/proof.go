package scan

import (
	"context"
	"errors"
)

// Before anything in an answer is decoded, the answer must prove whose the table is, that its rows have our layout, and that nothing
// of it is lost, in this order: see Authority. The authority is told of ErrFenced and ErrLost, so that writes end, too. A caller is
// told ErrLost only after it was confirmed: see wire.Client.Confirm.

// answer returns the answer to a request, after its proof was checked.
func (r *Reader) answer(ctx context.Context, q request) (response, error) {
	if err := r.Alive(ctx); err != nil {
		return response{}, err
	}
	since := r.authority.Shown()
	a, err := r.believed(ctx, r.batcher, q, since)
	if isDoubtful(err) {
		return r.confirm(ctx, q, since)
	}
	r.authority.Conclude(a.Answer, since, err)
	return a, err
}

// confirm sends a request once more, to a server that is a primary for certain, and returns its answer. The authority is told what
// that proves.
func (r *Reader) confirm(ctx context.Context, q request, since Progress) (response, error) {
	q.scan = nil
	a, err := r.believed(ctx, r.confirmer, q, since)
	if err == nil {
		r.client.DropIdle(ctx)
	}
	if err == nil || a.answered {
		r.authority.Conclude(a.Answer, since, err)
	}
	return a, err
}

// mostUnsettled is how often in a row a request is sent again because the table gets another owner.
const mostUnsettled = 5

// believed sends a request and checks the answer. If the table has another owner than a moment before, it does so again.
func (r *Reader) believed(ctx context.Context, b *batcher, q request, since Progress) (a response, err error) {
	for range mostUnsettled {
		if a, err = b.put(ctx, q); err != nil {
			return a, err
		}
		if q.ofLineage {
			a.lineage, err = readLineage(a.raw)
			a.Answer = a.lineage.answer()
		}
		if err == nil {
			a.answered = true
			err = r.authority.Check(ctx, a.Answer, since, b.fetch)
		}
		if !errors.Is(err, errUnsettled) {
			return a, err
		}
	}
	return a, err
}

// verdict returns why an answer, or what came instead of one, must not be believed.
func (r *Reader) verdict(ctx context.Context, a response, since Progress, err error) error {
	if err != nil {
		return err
	}
	return r.authority.Check(ctx, a.Answer, since, r.batcher.fetch)
}
