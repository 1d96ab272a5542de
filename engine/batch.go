package engine

import (
	"context"
	"fmt"
)

// batch is the requests that are joined into one effect.
type batch struct {
	kind        Kind
	requests    []*request
	rows, bytes int
	passedOver  []passedOver // the marks that the effect was sent without, in order
}

func newBatch(first *request, room int) *batch {
	b := &batch{kind: first.kind, requests: make([]*request, 0, 1+room)}
	b.add(first)
	return b
}

func (b *batch) add(r *request) {
	b.requests = append(b.requests, r)
	b.rows += r.size()
	b.bytes += r.bytes
}

// session returns the ticket of the session that the effect belongs to; 0: it belongs to none, or to a plain one.
func (b *batch) session() ticket {
	switch r := b.requests[0]; {
	case r.session != nil:
		return r.session.ticket
	case r.abandons != nil:
		return r.abandons.ticket
	}
	return 0
}

// canJoin tells whether r may share the effect.
func (b *batch) canJoin(r *request, cfg *Config) bool {
	return r.kind == b.kind && b.requests[0].joinable() && r.joinable() &&
		b.rows+r.size() <= cfg.mostRows(b.kind) && b.bytes+r.bytes <= cfg.BatchBytes
}

// joinable tells whether the request may share an effect with others. Rows may, and so may marks
// that are judged by key alone. A deletion with conditions has an effect of its own, and so have Apply and Update.
func (r *request) joinable() bool {
	switch r.kind {
	case Put, Stage:
		return true
	case Delete, Discard:
		return !r.deletion.conditional() && (r.deletion.Span == nil || r.session != nil)
	}
	return false
}

// claim claims the requests of an effect that is about to be sent. It removes requests that are abandoned, and
// answers and removes those whose span ended while the effect was aside.
func (b *batch) claim() {
	b.requests = without(b.requests, (*request).maybeEnd)
	alone := b.waiting() == 1
	b.requests = without(b.requests, func(r *request) bool {
		r.alone.Store(alone)
		return !r.tryClaim()
	})
}

// waiting is how many callers have not left.
func (b *batch) waiting() (n int) {
	for _, r := range b.requests {
		if !r.isAbandoned() {
			n++
		}
	}
	return n
}

// unclaim undoes claim, because the effect was not applied: a caller that leaves now is told that nothing
// was done.
func (b *batch) unclaim() {
	for _, r := range b.requests {
		r.unclaim()
	}
}

// isAbandoned tells whether all callers have left.
func (b *batch) isAbandoned() bool { return b.waiting() == 0 }

// answer gives every caller its share of the result, or the error.
func (b *batch) answer(result Result, err error) {
	verdicts := result.Verdicts
	if b.isByPlace() {
		b.requests[0].answer(verdicts, err)
		return
	}
	if err == nil && b.kind.hasVerdicts() {
		verdicts = withPassedOver(verdicts, b.passedOver)
	}
	if err == nil && b.kind.hasVerdicts() && len(verdicts) != b.size() {
		err = fmt.Errorf("%w: %d verdicts for %d marks", ErrLost, len(verdicts), b.size())
	}
	for _, r := range b.requests {
		r.count = result.Count
		if err != nil || !b.kind.hasVerdicts() {
			r.answer(nil, err)
			continue
		}
		n := r.size()
		r.answer(verdicts[:n:n], nil)
		verdicts = verdicts[n:]
	}
}

// isByPlace tells whether the batch is a step of a deletion by place, which has no marks.
func (b *batch) isByPlace() bool {
	return len(b.requests) == 1 && b.requests[0].deletion != nil && b.requests[0].deletion.Sweep != nil
}

// size is how many rows and marks the requests have. It does not count requests that claim removed.
func (b *batch) size() (n int) {
	for _, r := range b.requests {
		n += r.size()
	}
	return n
}

// fill writes the requests into an effect. The stamped rows go into the given buffer.
func (b *batch) fill(e *Effect, buffer []Row) {
	e.Callers, e.requests = make([]context.Context, 0, len(b.requests)), b.requests
	for _, r := range b.requests {
		e.Callers = append(e.Callers, r.caller)
		buffer = append(buffer, r.rows...)
		e.add(r.deletion)
		e.Damage, e.Note = r.damage, r.note
	}
	e.Rows = buffer
	e.stamp()
}

func (e *Effect) add(d *Deletion) {
	switch {
	case d == nil:
	case d.Sweep != nil:
		e.Sweep = d.Sweep
	case e.Marks == nil: // d is the first deletion, and the only one if it has conditions
		e.Marks, e.Witnesses, e.Bounds, e.Index = d.Marks[:len(d.Marks):len(d.Marks)], d.Witnesses, d.Bounds, d.Index
		e.Compare = d.conditional() && d.ReadAt != e.Prev
	default:
		e.Marks = append(e.Marks, d.Marks...)
	}
}

// stamp writes the generation into the rows. Staged rows get the next generation.
func (e *Effect) stamp() {
	generation := e.Generation
	if e.Kind.isScratch() {
		generation++
	}
	for i := range e.Rows {
		v := e.Rows[i].Value
		v[0], v[1], v[2], v[3] = byte(generation>>24), byte(generation>>16), byte(generation>>8), byte(generation)
	}
}
