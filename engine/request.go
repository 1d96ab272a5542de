package engine

import (
	"context"
	"sync/atomic"
)

// request is what a caller asks of the actor, and the slot for the answer.
type request struct {
	kind     Kind            // 0: the request needs no effect, because it is for a span or a pin, say
	rows     []Row           // Put, Stage, Apply, Update
	deletion *Deletion       // Delete, Discard; the marks of Apply and Update
	note     []byte          // Apply, Merge
	damage   *Damage         // Repair
	bytes    int             // of rows or marks
	ticket   ticket          // the actor's alone, for requests that came by the control channel
	span     *Span           // the requested scratch span
	opens    *Session        // the requested session
	abandons *Session        // the session whose holder has left, of an Abort that nobody waits for
	session  *Session        // Stage, Discard, Merge, Abort: the session that the request belongs to; nil: it is a plain one
	caller   context.Context // its values travel with the effect; nil for requests that need none

	awaitsClear bool // the request is for the clear state

	alone atomic.Bool // it shares its effect with no other; written by the actor before it claims the request

	state    atomic.Uint32 // a requestState; written by the caller and the actor
	answered chan struct{} // closed by the actor when verdicts and err are there
	verdicts []Verdict
	err      error
}

// requestState tells who may decide how a request ends.
type requestState = uint32

const (
	pending   requestState = iota // the caller may leave, and nothing was done
	claimed                       // its effect is about to be sent, and nothing of it has left: the caller may leave if it is alone
	departed                      // its effect was sent: the caller may leave, but the outcome is unknown
	answered                      // it has its answer, or is getting it now
	abandoned                     // the caller has left
)

func newRequest(k Kind) *request { return &request{kind: k, answered: make(chan struct{})} }

func rowsRequest(k Kind, rows []Row) *request {
	r := newRequest(k)
	r.addRows(rows)
	return r
}

func (r *request) addRows(rows []Row) {
	r.rows = rows
	for i := range rows {
		r.bytes += len(rows[i].Key) + len(rows[i].Value)
		for _, s := range rows[i].Scores {
			r.bytes += len(s) + len(rows[i].Key)
		}
	}
}

func deletionRequest(k Kind, d Deletion) *request {
	r := newRequest(k)
	r.addMarks(d)
	return r
}

func (r *request) addMarks(d Deletion) {
	r.deletion = &d
	for i := range d.Marks {
		r.bytes += len(d.Marks[i].Key) + len(d.Marks[i].Value)
	}
}

func changeRequest(c Change) *request {
	r := newRequest(Apply)
	r.addRows(c.Rows)
	r.addMarks(Deletion{Marks: c.Marks})
	r.note = c.Note
	r.bytes += len(c.Note)
	return r
}

func updateRequest(row Row, read Mark, at uint64) *request {
	r := newRequest(Update)
	r.addRows([]Row{row})
	r.addMarks(Deletion{Marks: []Mark{read}, ReadAt: at})
	return r
}

func repairRequest(d Damage) *request {
	r := newRequest(Repair)
	r.damage, r.bytes = &d, len(d.Key)+len(d.Row)+len(d.Score)
	return r
}

// size is how many rows and marks the request has.
func (r *request) size() int {
	n := len(r.rows)
	if r.deletion != nil {
		n += len(r.deletion.Marks)
	}
	return n
}

// spanDone returns a channel that is closed when the request's session or span ends; nil if it has none.
func (r *request) spanDone() <-chan struct{} {
	switch {
	case r.session != nil:
		return r.session.span.Done()
	case r.deletion != nil && r.deletion.Span != nil:
		return r.deletion.Span.Done()
	}
	return nil
}

// spanErr returns why the request's session or span has ended; nil if it has not, or if there is none.
func (r *request) spanErr() error {
	switch {
	case r.session != nil:
		return r.session.Err()
	case r.deletion != nil && r.deletion.Span != nil:
		return r.deletion.Span.Err()
	}
	return nil
}

// sweeps tells whether the request is one of several that belong together, or has conditions: a Delete of that kind runs in the clear
// state alone.
func (r *request) sweeps() bool {
	return r.deletion != nil && (r.deletion.Span != nil || r.deletion.conditional())
}

// needsEffect tells whether the request can only be answered by an effect.
func (r *request) needsEffect() bool { return !r.isAbandoned() && r.kind != 0 && r.spanErr() == nil }

// maybeEnd answers the request if its span has ended, and tells whether it has.
func (r *request) maybeEnd() bool {
	err := r.spanErr()
	if err != nil {
		r.answer(nil, err)
	}
	return err != nil
}

// waitClass returns the class of requests that wait for the same as this one.
func (r *request) waitClass() waitClass {
	switch {
	case r.kind == Delete && r.sweeps() || r.awaitsClear:
		return waitsForClear
	case r.kind.isRegular():
		return waitsForRegular
	case r.session != nil:
		return waitsForLock
	case r.opens != nil:
		return waitsForSession
	case r.kind == Merge:
		return waitsForHolder
	case r.kind == Stage || r.kind == Discard || r.span != nil:
		return waitsForScratch
	}
	return waitsForLock
}

// isAbandoned tells whether the caller has left.
func (r *request) isAbandoned() bool { return r.state.Load() == abandoned }

// tryClaim claims the request for an effect that is about to be sent. It fails if the caller has left.
func (r *request) tryClaim() bool { return r.state.CompareAndSwap(pending, claimed) }

// depart notes that the effect of a claimed request leaves, maybe once more. It fails if the caller has left, or
// if it is the Merge of a session whose holder has left.
func (r *request) depart() bool {
	if r.kind == Merge && r.session != nil && r.session.lifeErr() != nil {
		return false
	}
	return r.state.CompareAndSwap(claimed, departed) || r.state.Load() == departed
}

// unclaim undoes tryClaim, because the effect was certainly not applied.
func (r *request) unclaim() {
	if !r.state.CompareAndSwap(departed, pending) {
		r.state.CompareAndSwap(claimed, pending)
	}
}

// answer gives the caller its answer, unless the caller has left.
func (r *request) answer(v []Verdict, err error) (delivered bool) {
	for {
		before := r.state.Load()
		if before == abandoned || before == answered {
			return false
		}
		if r.state.CompareAndSwap(before, answered) {
			r.verdicts, r.err = v, err
			close(r.answered)
			return true
		}
	}
}

// tryWithdraw lets the caller leave before anything was done. It fails if the request is no longer pending.
func (r *request) tryWithdraw() bool { return r.state.CompareAndSwap(pending, abandoned) }

// abandon lets the caller leave, and returns the state before. If that is answered, the caller must
// stay and take the answer.
func (r *request) abandon() requestState {
	for {
		before := r.state.Load()
		if before == answered || r.state.CompareAndSwap(before, abandoned) {
			return before
		}
	}
}

// await waits for the answer, until ctx, the request's span or the table ends. An error takes from why what the call waited for.
func (r *request) await(ctx context.Context, closing <-chan struct{}, why *reasons) error {
	spanDone := r.spanDone()
	for {
		select {
		case <-r.answered:
			return r.err
		case <-ctx.Done():
			return r.giveUp(ctx, why)
		case <-spanDone:
			if r.tryWithdraw() {
				return r.spanErr()
			}
			spanDone = nil // the effect was sent: the actor will answer
		case <-closing:
			if r.tryWithdraw() {
				return ErrClosed
			}
			closing = nil // as above
		}
	}
}

// giveUp abandons the request because ctx has ended, and returns the caller's error.
func (r *request) giveUp(ctx context.Context, why *reasons) error {
	err := why.ended(ctx, r.waitClass())
	switch before := r.abandon(); {
	case before == answered:
		<-r.answered
		return r.err
	case before == departed, before == claimed && !r.alone.Load():
		return unknown(err)
	}
	return err
}
