package scripts

import (
	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var put = define(wire.MayWrite, writing, "put")

// Put stores rows. Answer: Result.
func Put(c *wire.Client, epoch layout.Epoch, e *engine.Effect) []any {
	indexes := len(c.Keys.Merged)
	return appendRows(numbered(c, put, epoch, e, rowArgs(e.Rows, indexes)), e.Rows, indexes)
}
