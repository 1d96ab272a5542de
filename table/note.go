package table

import (
	"bytes"
	"context"
	"fmt"
	"strconv"

	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// mostNote is how many bytes a note may have.
const mostNote = 64 << 10

// NoteVersion names what the note was at a moment, as one handle tells it; see Noted and Spec.IfNote. Two versions of the same handle that
// are equal are of the same note. Two that differ may be so, too: another owner, or a write whose outcome was in doubt, gives another
// version. Versions of different handles, and of two openings of one, are not to be compared. The zero value is no note's.
//
// Its fields are made by handles; they say nothing to anybody else.
type NoteVersion struct {
	Lineage string // whose count Number is
	Number  uint64
}

// versionAt returns the version of the note at a moment. Within an epoch the number of notes goes back only where Redis has lost a write
// that nobody had acknowledged: then its owner burns that write's number.
func versionAt(m *wire.Moment) NoteVersion {
	return NoteVersion{Lineage: string(m.Epoch) + "/" + strconv.FormatUint(m.Burns, 10), Number: m.Notes}
}

// check returns ErrNoteChanged if v is not the note's version at a moment; the zero one is any.
func (v NoteVersion) check(m *wire.Moment) error {
	if v == (NoteVersion{}) || v.Number == m.Notes && v == versionAt(m) {
		return nil
	}
	return ErrNoteChanged
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

// checkNote looks whether the note is as a query wants it, where no page is read that tells.
func (b *base) checkNote(ctx context.Context, q *Query) error {
	if len(q.Intervals) > 0 || q.Note == (NoteVersion{}) {
		return nil
	}
	_, at, err := b.reader.Note(ctx)
	if err == nil {
		err = q.Note.check(&at)
	}
	return err
}

// ownNote returns a copy of a note, for an effect may outlive the call. It refuses one that is too large.
func ownNote(note []byte) ([]byte, error) {
	if len(note) > mostNote {
		return nil, fmt.Errorf("%w: a note of %d bytes, at most %d", ErrTooLarge, len(note), mostNote)
	}
	return bytes.Clone(note), nil
}
