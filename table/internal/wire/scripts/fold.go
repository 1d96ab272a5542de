package scripts

import (
	"strconv"

	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var fold = define(wire.MayFree, writing, "fold")

// Fold moves a batch of the staged rows of a merged generation. The answer has StatusStale when there is nothing to fold any
// more; else its Last is the cursor of the next batch, if the state is still merging.
func Fold(c *wire.Client, epoch layout.Epoch, generation uint32, cursor string, rows int) []any {
	args := c.Call(fold, 4)
	return append(args, string(epoch), strconv.FormatUint(uint64(generation), 10), cursor, rows)
}
