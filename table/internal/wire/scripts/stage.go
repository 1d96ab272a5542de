package scripts

import (
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var stage = define(wire.MayWrite, writing, "stage")

// Stage stores rows in the scratch space. Answer: Result.
func Stage(c *wire.Client, e *Effect) []any {
	indexes := len(c.Keys.Merged)
	return appendRows(numbered(c, stage, e, rowArgs(e.Rows, indexes)), e.Rows, indexes)
}
