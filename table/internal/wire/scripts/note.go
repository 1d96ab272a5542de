package scripts

import (
	"bytes"

	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var note = define(wire.MayRead, reading, "note")

// Note reads the note.
func Note(c *wire.Client) []any { return read(c, note, 0) }

// ReadNote returns the note; nil if there is none.
func ReadNote(a *wire.Answer) ([]byte, error) {
	found := a.Rest.Texts()
	if len(found) != 1 {
		a.Rest.Fail()
		return nil, a.Rest.Err()
	}
	return bytes.Clone(found[0]), a.Rest.Err()
}
