package scripts

import (
	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var merge = define(wire.MayFree, writing, "merge")

// Merge shows all that is staged, and writes the note. Answer: Result.
func Merge(c *wire.Client, e *Effect) []any {
	return append(numbered(c, merge, e, 2), e.noted(), (*engine.Bytes)(&e.Note))
}
