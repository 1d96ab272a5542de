package scripts

import (
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var update = define(wire.MayWrite, writing, "update")

// Update stores a row in place of the one that was read. If that is not there any more, the status is StatusChanged. Answer: Result.
func Update(c *wire.Client, e *Effect) []any {
	indexes := len(c.Keys.Merged)
	return append(appendRows(numbered(c, update, e, rowArgs(e.Rows, indexes)+1), e.Rows, indexes), &e.Marks[0].Value)
}
