package engine

import "fmt"

// batch is the requests that one effect serves.
type batch struct {
	kind        Kind
	requests    []*request
	rows, bytes int
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

// joins tells whether r may travel in the same effect.
func (b *batch) joins(r *request, cfg *Config) bool {
	return r.kind == b.kind && b.requests[0].joinable() && r.joinable() &&
		b.rows+r.size() <= cfg.BatchRows && b.bytes+r.bytes <= cfg.BatchBytes
}

// joinable tells whether the request may share an effect: rows may, and marks that ask for
// nothing but the key; what was judged by its caller goes alone.
func (r *request) joinable() bool {
	if r.deletion == nil {
		return r.kind == Put || r.kind == Stage
	}
	d := r.deletion
	return d.Span == nil && !d.conditional()
}

// claim claims the callers of an effect that is about to be sent, and drops those who have left.
func (b *batch) claim() (any bool) {
	b.requests = without(b.requests, func(r *request) bool { return !r.take() })
	return len(b.requests) > 0
}

// release lets the callers of an effect that was not had leave again as if it had not been sent.
func (b *batch) release() {
	for _, r := range b.requests {
		r.giveBack()
	}
}

// abandoned tells whether all callers have left.
func (b *batch) abandoned() bool {
	for _, r := range b.requests {
		if !r.isGone() {
			return false
		}
	}
	return true
}

// answer gives every caller its share of the verdicts, or the error.
func (b *batch) answer(verdicts []Verdict, err error) {
	if err == nil && (b.kind == Delete || b.kind == Discard) && len(verdicts) != b.marks() {
		err = fmt.Errorf("%w: %d verdicts for %d marks", ErrLost, len(verdicts), b.marks())
	}
	for _, r := range b.requests {
		if err != nil || r.deletion == nil {
			r.answer(nil, err)
			continue
		}
		n := r.size()
		r.answer(verdicts[:n:n], nil)
		verdicts = verdicts[n:]
	}
}

// marks counts those of the requests that the effect had, after the others were dropped.
func (b *batch) marks() (n int) {
	for _, r := range b.requests {
		n += r.size()
	}
	return n
}

// fill lays the batch out as an effect. The rows go into the given buffer, stamped.
func (b *batch) fill(e *Effect, rows []Row) {
	for _, r := range b.requests {
		rows = append(rows, r.rows...)
		e.add(r.deletion)
	}
	e.Rows = rows
	e.stamp()
}

func (e *Effect) add(d *Deletion) {
	switch {
	case d == nil:
	case e.Marks == nil: // the first, if not the only one
		e.Marks, e.Witnesses, e.Bounds, e.Index = d.Marks[:len(d.Marks):len(d.Marks)], d.Witnesses, d.Bounds, d.Index
		e.Compare = d.conditional() && d.Seen != e.Prev
	default:
		e.Marks = append(e.Marks, d.Marks...)
	}
}

// stamp writes the generation into the rows: staged ones are of the next.
func (e *Effect) stamp() {
	generation := e.Generation
	if e.Kind == Stage {
		generation++
	}
	for i := range e.Rows {
		v := e.Rows[i].Value
		v[0], v[1], v[2], v[3] = byte(generation>>24), byte(generation>>16), byte(generation>>8), byte(generation)
	}
}
