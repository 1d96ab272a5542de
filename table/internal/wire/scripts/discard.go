package scripts

import (
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var discard = define(wire.MayFree, marking, "discard")

// Discard puts tombstones into the scratch space. Answer: Result, with a verdict for each mark.
func Discard(c *wire.Client, e *Effect) []any {
	return marks(c, discard, e)
}
