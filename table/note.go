package table

import (
	"bytes"
	"fmt"

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
	Lineage string // whose counts these are
	Burned  uint64
	Number  uint64
}

// versionAt returns the version of the note at a moment. Within an epoch the number of notes goes back only where Redis has lost a write
// that nobody had acknowledged: then its owner burns that write's number.
func versionAt(m *wire.Moment) NoteVersion {
	return NoteVersion{Lineage: string(m.Epoch), Burned: m.Burns, Number: m.Notes}
}

// check returns ErrNoteChanged if v is not the note's version at a moment; the zero one is any.
func (v NoteVersion) check(m *wire.Moment) error {
	if v == (NoteVersion{}) || v == versionAt(m) {
		return nil
	}
	return ErrNoteChanged
}

// ownNote returns a copy of a note, for an effect may outlive the call. It refuses one that is too large.
func ownNote(note []byte) ([]byte, error) {
	if len(note) > mostNote {
		return nil, fmt.Errorf("%w: a note of %d bytes, at most %d", ErrTooLarge, len(note), mostNote)
	}
	return bytes.Clone(note), nil
}
