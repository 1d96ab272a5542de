package scripts

import (
	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var abort = define(wire.MayFree, writing, "abort")

// Abort drops all that is staged. Answer: Result.
func Abort(c *wire.Client, epoch layout.Epoch, e *engine.Effect) []any {
	return numbered(c, abort, epoch, e, 0)
}
