package scripts

import (
	"strconv"

	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var fold = define(wire.MayFree, writing, "fold")

// Fold copies some of the staged rows of a merged generation to where merged rows are: so many, or so many bytes. The answer has
// StatusStale if there is nothing to fold any more. Else its Last is the cursor for the next call, if the state is still merging.
func Fold(c *wire.Client, epoch layout.Epoch, generation uint32, cursor string, rows, bytes int) []any {
	args := c.Call(fold, 5)
	return append(args, string(epoch), strconv.FormatUint(uint64(generation), 10), cursor, rows, bytes)
}
