package scripts

import (
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var discardAll = define(wire.MayFree, writing, "discardall")

// DiscardAll discards everything but the effect's rows, which it stages. Answer: Result; its Last is how many records are discarded.
// StatusChanged: something else is staged, and nothing was done.
func DiscardAll(c *wire.Client, e *Effect) []any {
	indexes := len(c.Keys.Merged)
	return appendRows(numbered(c, discardAll, e, rowArgs(e.Rows, indexes)), e.Rows, indexes)
}
