package scripts

import (
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var abort = define(wire.MayFree, writing, "abort")

// Abort drops all that is staged. Answer: Result.
func Abort(c *wire.Client, e *Effect) []any {
	return numbered(c, abort, e, 0)
}
