package scripts

import (
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var clearAll = define(wire.MayFree, writing, "clear")

// Clear drops everything, in any state. Answer: Result.
func Clear(c *wire.Client, e *Effect) []any {
	return numbered(c, clearAll, e, 0)
}
