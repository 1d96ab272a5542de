package scripts

import (
	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var build = define(wire.MayWrite, writing, "build")

// BuiltEntries are entries of rows, whose scores are in the order of Keys.
type BuiltEntries struct {
	Keys   [][]byte
	Scores map[int][]engine.Bytes // by index
}

// Build adds entries to indexes that are being built, where they are missing and the rows are still there.
func Build(c *wire.Client, epoch layout.Epoch, e BuiltEntries) []any {
	args := c.Call(build, 3+len(e.Keys)+len(e.Scores)*(1+len(e.Keys)))
	args = append(args, string(epoch), c.Layout, len(e.Keys))
	for i := range e.Keys {
		args = append(args, (*engine.Bytes)(&e.Keys[i]))
	}
	for index, scores := range e.Scores {
		args = append(args, index+1)
		for i := range scores {
			args = append(args, &scores[i])
		}
	}
	return args
}
