package scripts

import (
	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var apply = define(wire.MayWrite, writing, "apply")

// Apply stores rows, removes keys and writes the note. Answer: Result.
func Apply(c *wire.Client, e *Effect) []any {
	told, indexes := "", len(c.Keys.Merged)
	if e.Body != nil {
		told = "told"
	}
	args := appendRows(numbered(c, apply, e, rowArgs(e.Rows, indexes)+4+len(e.Marks)), e.Rows, indexes)
	return AppendKeys(append(args, told, &e.Keys, e.noted(), (*engine.Bytes)(&e.Note)), e.Marks)
}
