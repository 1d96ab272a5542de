package scripts

import (
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var built = define(wire.MayFree, writing, "built")

// Built declares those indexes complete that are. The status is StatusSound if there is none more. Answer: Result.
func Built(c *wire.Client, e *Effect) []any { return numbered(c, built, e, 0) }
