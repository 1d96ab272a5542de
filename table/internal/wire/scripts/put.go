package scripts

import (
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var put = define(wire.MayWrite, writing, "put")

// Put stores rows. Answer: Result.
func Put(c *wire.Client, e *Effect) []any {
	indexes := len(c.Keys.Merged)
	return appendRows(numbered(c, put, e, rowArgs(e.Rows, indexes)), e.Rows, indexes)
}
