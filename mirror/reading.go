package mirror

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/tablecache-go/tablecache/table"
)

// reading is what a Mirror and a Snapshot have: the verbs that read.
type reading[R any, K comparable] struct {
	def    *table.Definition[R, K]
	source source[R, K]
}

// source is where the version is from that a read shows.
type source[R any, K comparable] interface {
	version(ctx context.Context) (*version[R, K], error)
}

// Name returns the table's name.
func (r *reading[R, K]) Name() string { return r.def.Name }

// All returns the spec of all records in the order of an index.
func (r *reading[R, K]) All(index string) table.Spec[R] {
	return table.Spec[R]{Index: index, Intervals: []table.Interval{table.Everything()}}
}

// Range returns the spec of the records whose score in an index is at least ge and less than lt.
func (r *reading[R, K]) Range(index string, ge, lt float64) table.Spec[R] {
	return table.Spec[R]{Index: index, Intervals: []table.Interval{{GE: ge, LT: lt}}}
}

// Records returns the records of s as they stand at the moment that is shown when the loop begins, whatever happens meanwhile. Nothing
// waits for it, and breaking out of it leaves nothing behind. A record that cannot be decoded, or whose predicate panics, yields a
// *CodingError in its place, and the loop may go on. Any other error is the last thing yielded. Records share memory with the mirror: do
// not write to what they refer to (see the package's comment). Recheck must not write to the record either.
func (r *reading[R, K]) Records(ctx context.Context, s table.Spec[R]) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		if err := r.read(ctx, s, yield); err != nil {
			var none R
			yield(none, r.errorf("read", err))
		}
	}
}

// read yields the records of s, and returns the error that ended the read early.
func (r *reading[R, K]) read(ctx context.Context, s table.Spec[R], yield func(R, error) bool) (err error) {
	v, q, err := r.begin(ctx, s)
	if err != nil {
		return err
	}
	left := s.Limit
	v.walk(&q, nil, func(_ int, e *cell[R, K]) bool {
		if ctx.Err() != nil { // checked for each record, because a slow predicate may let none pass
			err = ended(ctx)
			return false
		}
		if s.Recheck == nil && e.bad == nil { // the most frequent case: nothing is asked of the record
			left--
			return yield(e.record, nil) && left != 0
		}
		holds, bad := v.judge(&q, s.Recheck, e)
		if !holds {
			return true
		}
		left--
		return yield(e.record, bad) && left != 0
	})
	return err
}

// begin checks a spec, and returns the version that is to be read.
func (r *reading[R, K]) begin(ctx context.Context, s table.Spec[R]) (*version[R, K], table.Query, error) {
	q, err := r.def.Query(s)
	if err != nil {
		return nil, q, err
	}
	v, err := r.source.version(ctx)
	if err == nil {
		err = v.missing[s.Index]
	}
	if err == nil {
		err = v.checkNote(q.Note)
	}
	return v, q, err
}

// judge tells whether a cell is part of an answer. One that is bad, or whose predicate panics, is, with an error.
func (v *version[R, K]) judge(q *table.Query, recheck func(*R) bool, e *cell[R, K]) (bool, error) {
	if e.bad != nil || recheck == nil {
		return true, e.err()
	}
	holds, err := table.Holds(recheck, &e.record)
	if err != nil {
		err = q.Fault([]byte(v.rows.key(e.text)), err)
	}
	return holds || err != nil, err
}

// First returns the first record of s, or ErrNotFound. Its other errors are those of Records.
func (r *reading[R, K]) First(ctx context.Context, s table.Spec[R]) (R, error) {
	for record, err := range r.Records(ctx, s) {
		return record, err
	}
	var none R
	return none, r.errorf("first", table.ErrNotFound)
}

// Count returns how many records s has. Without a predicate it looks at O(log n) records for each interval, else at all of s.
func (r *reading[R, K]) Count(ctx context.Context, s table.Spec[R]) (n int, err error) {
	v, q, err := r.begin(ctx, s)
	switch {
	case err != nil:
		return 0, r.errorf("count", err)
	case s.Recheck == nil:
		return v.count(&q), nil
	}
	for _, err := range r.Records(ctx, s) {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// Get returns the record with this key, or ErrNotFound. A key that cannot be encoded is a *CodingError.
func (r *reading[R, K]) Get(ctx context.Context, key K) (R, error) {
	return r.GetIfNote(ctx, key, table.NoteVersion{})
}

// GetIfNote is Get, of a moment at which the note has version v; else the error is ErrNoteChanged, whether there is such a record or not.
// The zero version is any.
func (r *reading[R, K]) GetIfNote(ctx context.Context, key K, v table.NoteVersion) (R, error) {
	for record, err := range r.lookupIf(ctx, v, key) {
		return record, err
	}
	var none R
	return none, r.errorf("get", table.ErrNotFound)
}

// Lookup returns the records with these keys, at most 10,000 (ErrTooLarge), in the order of the arguments. A key that is given twice
// counts once, and a key without a record is skipped. Errors come as from Records.
func (r *reading[R, K]) Lookup(ctx context.Context, keys ...K) iter.Seq2[R, error] {
	return r.lookupIf(ctx, table.NoteVersion{}, keys...)
}

func (r *reading[R, K]) lookupIf(ctx context.Context, v table.NoteVersion, keys ...K) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		if err := r.lookup(ctx, v, keys, yield); err != nil {
			var none R
			yield(none, r.errorf("look-up", err))
		}
	}
}

func (r *reading[R, K]) lookup(ctx context.Context, noted table.NoteVersion, keys []K, yield func(R, error) bool) error {
	encoded, err := r.def.LookupKeys(keys...)
	if err != nil {
		return err
	}
	v, err := r.source.version(ctx)
	if err == nil {
		err = v.checkNote(noted)
	}
	if err != nil {
		return err
	}
	for _, key := range encoded {
		if ctx.Err() != nil {
			return ended(ctx)
		}
		if e := v.rows.find(key); e != nil && !yield(e.record, e.err()) {
			return nil
		}
	}
	return nil
}

// Note returns the note, as it was at the moment of the records; nil if there was none. The caller owns the bytes.
func (r *reading[R, K]) Note(ctx context.Context) ([]byte, error) {
	note, _, err := r.Noted(ctx)
	return note, err
}

// Noted is Note, with the version that the note has at the same moment, for Spec.IfNote and GetIfNote. A Mirror and its Snapshots have the
// same versions. A new copy of the table (see Stats.Resyncs) gives the note another one.
func (r *reading[R, K]) Noted(ctx context.Context) ([]byte, table.NoteVersion, error) {
	v, err := r.source.version(ctx)
	if err != nil {
		return nil, table.NoteVersion{}, r.errorf("note", err)
	}
	return bytes.Clone(v.note), v.noted, nil
}

// errorf adds the table's name and what was done to an error, unless the error names the table already.
func (r *reading[R, K]) errorf(what string, err error) error {
	if err == nil || errors.As(err, new(*table.CodingError)) {
		return err
	}
	return fmt.Errorf("table %s: %s: %w", r.def.Name, what, err)
}

// ended returns the error of a context that has ended, with its cause.
func ended(ctx context.Context) error {
	if cause := context.Cause(ctx); cause != ctx.Err() {
		return fmt.Errorf("%w: %w", ctx.Err(), cause)
	}
	return ctx.Err()
}
