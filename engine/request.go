package engine

import (
	"context"
	"fmt"
	"sync/atomic"
)

// request is what a caller wants, and the slot for its answer.
type request struct {
	kind     Kind      // 0: a scratch span is asked for, or no effect at all
	rows     []Row     // Put, Stage
	deletion *Deletion // Delete, Discard
	bytes    int       // of rows or marks
	ticket   ticket    // the actor's alone, for requests that are no effects of a mailbox
	span     *Span     // the one asked for when kind is 0

	claim    atomic.Uint32 // a claim; both sides
	answered chan struct{} // closed by the actor when verdicts and err are there
	verdicts []Verdict
	err      error
}

// claim tells who may decide what becomes of a request.
type claim = uint32

const (
	pending  claim = iota // the caller may take it back, as if it had never been
	claimed               // its effect was sent: the caller may leave, but not knowing the outcome
	answered              // it has, or is just getting, its answer
	gone                  // the caller has left
)

func newRequest(k Kind) *request { return &request{kind: k, answered: make(chan struct{})} }

func rowsRequest(k Kind, rows []Row) *request {
	r := newRequest(k)
	r.rows = rows
	for i := range rows {
		r.bytes += len(rows[i].Key) + len(rows[i].Value)
		for _, s := range rows[i].Scores {
			r.bytes += len(s) + len(rows[i].Key)
		}
	}
	return r
}

func deletionRequest(k Kind, d Deletion) *request {
	r := newRequest(k)
	r.deletion = &d
	for i := range d.Marks {
		r.bytes += len(d.Marks[i].Key) + len(d.Marks[i].Value)
	}
	return r
}

// size is how many rows or marks the request has.
func (r *request) size() int {
	if r.deletion != nil {
		return len(r.deletion.Marks)
	}
	return len(r.rows)
}

// spanDone is closed when the span that the request depends on ends; nil if there is none.
func (r *request) spanDone() <-chan struct{} {
	if r.deletion == nil || r.deletion.Span == nil {
		return nil
	}
	return r.deletion.Span.Done()
}

// spanErr is why the span that the request depends on has ended.
func (r *request) spanErr() error {
	if r.deletion == nil || r.deletion.Span == nil {
		return nil
	}
	return r.deletion.Span.Err()
}

// isGone tells whether the caller has left.
func (r *request) isGone() bool { return r.claim.Load() == gone }

// take claims the request for an effect that is about to be sent; false: the caller has left.
func (r *request) take() bool { return r.claim.CompareAndSwap(pending, claimed) }

// giveBack undoes take: the effect was certainly not had.
func (r *request) giveBack() { r.claim.CompareAndSwap(claimed, pending) }

// answer gives the caller its answer; false: the caller has left.
func (r *request) answer(v []Verdict, err error) bool {
	for {
		was := r.claim.Load()
		if was == gone || was == answered {
			return false
		}
		if r.claim.CompareAndSwap(was, answered) {
			r.verdicts, r.err = v, err
			close(r.answered)
			return true
		}
	}
}

// takeBack lets the caller leave as if it had never asked; false: it is too late.
func (r *request) takeBack() bool { return r.claim.CompareAndSwap(pending, gone) }

// leave lets the caller leave, and returns how the request stood; answered: stay, it is there.
func (r *request) leave() claim {
	for {
		was := r.claim.Load()
		if was == answered || r.claim.CompareAndSwap(was, gone) {
			return was
		}
	}
}

// await waits for the answer, until ctx, the request's span or the table ends.
func (r *request) await(ctx context.Context, closing <-chan struct{}) error {
	span := r.spanDone()
	for {
		select {
		case <-r.answered:
			return r.err
		case <-ctx.Done():
			return r.abandon(ctx)
		case <-span:
			if r.takeBack() {
				return r.spanErr()
			}
			span = nil // it is too late: the actor will answer
		case <-closing:
			if r.takeBack() {
				return ErrClosed
			}
			closing = nil // as above
		}
	}
}

func (r *request) abandon(ctx context.Context) error {
	switch r.leave() {
	case answered:
		<-r.answered
		return r.err
	case claimed:
		return fmt.Errorf("%w: %w", ErrUnknownOutcome, ended(ctx))
	}
	return ended(ctx)
}
