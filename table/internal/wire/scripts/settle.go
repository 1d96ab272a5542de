package scripts

import (
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var settle = define(wire.MayFree, writing, "settle")

// Settle finds out whether e was applied. If it was not, it burns the number of e, and the status is StatusBurned. Answer: Result.
func Settle(c *wire.Client, e *Effect) []any {
	return numbered(c, settle, e, 0)
}
