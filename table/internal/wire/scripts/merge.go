package scripts

import (
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var merge = define(wire.MayFree, writing, "merge")

// Merge shows all that is staged. Answer: Result.
func Merge(c *wire.Client, e *Effect) []any {
	return numbered(c, merge, e, 0)
}
