package table

import (
	"context"
	"errors"
	"fmt"

	"github.com/tablecache-go/tablecache/table/internal/scan"
)

// handle is what all handles on a table have: the verbs that read.
type handle[R any, K comparable] struct {
	*base
	coder[R, K]
	buffer int // records in the channel of a Stream
}

// All returns the spec of all records in the order of an index.
func (h *handle[R, K]) All(index string) Spec[R] {
	return Spec[R]{Index: index, Intervals: []Interval{Everything()}}
}

// Range returns the spec of the records whose score in an index is at least ge and less than lt.
func (h *handle[R, K]) Range(index string, ge, lt float64) Spec[R] {
	return Spec[R]{Index: index, Intervals: []Interval{{GE: ge, LT: lt}}}
}

// base is what of a handle does not depend on the type of its records.
type base struct {
	name    string
	reader  *scan.Reader
	indexes []string // of the table, under the schema that is read
}

// Name returns the table's name.
func (b *base) Name() string { return b.name }

// Position returns what this handle has shown or done last; it does not ask Redis. Two handles that show the same moment return
// equal positions. After a read of one page by a single caller it is that answer's moment.
func (b *base) Position() Position { return Position{b.reader.Position()} }

// WaitFor waits until whatever this handle shows from then on includes all that the handle that gave p had shown or done. It asks
// Redis how far the table is, again and again after pauses that grow to 50 ms, until ctx ends. The zero position is included in
// everything.
//
// A position of an owner whose epoch this table does not know is waited for if that owner came later than the present one; it may
// belong to another table of the same name, and then WaitFor waits until ctx ends. ErrLost: the table will never include p, because
// what p stands for was lost in a fail-over, or because its owner is none of the last 64. Other errors are those of reads.
func (b *base) WaitFor(ctx context.Context, p Position) error {
	return b.errorf("wait for a position", b.reader.WaitFor(ctx, p.at))
}

// Note returns the note as it is now: the bytes that an Apply, or the Merge of a Scratch, has left with the table last, beside what it has written; nil if there
// is none, since nobody has written one, or since a Clear or a reset. A note of no bytes is not nil. The caller owns the bytes. Note
// takes one round trip; its errors are those of reads.
func (b *base) Note(ctx context.Context) ([]byte, error) {
	note, _, err := b.Noted(ctx)
	return note, err
}

// Noted is Note, with the version that the note has at the same moment. Reads of a spec on that condition (Spec.IfNote, GetIfNote) are
// answered only while it is the same: so what the note says of records can be told from what it said of others.
func (b *base) Noted(ctx context.Context) ([]byte, NoteVersion, error) {
	note, at, err := b.reader.Note(ctx)
	if err != nil {
		return nil, NoteVersion{}, b.errorf("note", err)
	}
	return note, versionAt(&at), nil
}

// checkNote looks whether the note has a version, for reads of no intervals: nothing else is asked for that tells. Of any version it asks
// nothing.
func (b *base) checkNote(ctx context.Context, v NoteVersion) error {
	if v == (NoteVersion{}) {
		return b.reader.Alive(ctx)
	}
	_, at, err := b.reader.Note(ctx)
	if err == nil {
		err = v.check(&at)
	}
	return err
}

// errorf adds the table's name and what was done to an error, unless the error names the table already.
func (b *base) errorf(what string, err error) error {
	if err == nil || errors.As(err, new(*CodingError)) {
		return err
	}
	return fmt.Errorf("table %s: %s: %w", b.name, what, err)
}
