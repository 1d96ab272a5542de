package scripts

import (
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var settle = define(wire.MayFree, writing, "settle")

// Settle finds out whether e was applied, and burns its number if not: then the status is StatusBurned. Answer: Result.
func Settle(c *wire.Client, e *Effect) []any {
	return numbered(c, settle, e, 0)
}
