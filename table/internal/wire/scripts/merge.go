package scripts

import (
	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var merge = define(wire.MayFree, writing, "merge")

// Merge shows all that is staged. Answer: Result.
func Merge(c *wire.Client, epoch layout.Epoch, e *engine.Effect) []any {
	return numbered(c, merge, epoch, e, 0)
}
