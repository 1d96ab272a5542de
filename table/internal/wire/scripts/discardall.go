package scripts

import (
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var discardAll = define(wire.MayFree, writing, "discardall")

// DiscardAll discards everything. Answer: Result; its Last is how many records that is. StatusChanged: something else is staged, and
// nothing was done.
func DiscardAll(c *wire.Client, e *Effect) []any {
	return numbered(c, discardAll, e, 0)
}
