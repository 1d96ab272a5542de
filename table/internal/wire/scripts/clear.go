package scripts

import (
	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var clearAll = define(wire.MayFree, writing, "clear")

// Clear drops everything, in any state. Answer: Result.
func Clear(c *wire.Client, epoch layout.Epoch, e *engine.Effect) []any {
	return numbered(c, clearAll, epoch, e, 0)
}
