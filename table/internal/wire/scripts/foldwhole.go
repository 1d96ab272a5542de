package scripts

import (
	"strconv"

	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var foldWhole = define(wire.MayFree, writing, "foldwhole")

// FoldWhole puts the staged rows of a merged generation that stand for the whole table in the place of the merged ones, in one step.
// The answer has StatusStale if there is nothing to fold any more.
func FoldWhole(c *wire.Client, epoch layout.Epoch, generation uint32) []any {
	return append(c.Call(foldWhole, 2), string(epoch), strconv.FormatUint(uint64(generation), 10))
}
