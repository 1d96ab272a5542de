package scripts

import (
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var remove = define(wire.MayFree, marking, "delete")

// Delete removes rows. Answer: Result, with a verdict for each mark.
func Delete(c *wire.Client, e *Effect) []any {
	return marks(c, remove, e)
}
