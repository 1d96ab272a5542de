package scripts

import (
	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var lookup = define(wire.MayRead, reading, "lookup")

// NoIndex is where no scores are wanted.
const NoIndex = -1

// Lookup asks for rows by their keys, and for their scores in an index.
func Lookup(c *wire.Client, s Scope, index int, keys []engine.Bytes) []any {
	args := append(read(c, lookup, 2+len(keys)), string(s), index+1)
	for i := range keys {
		args = append(args, &keys[i])
	}
	return args
}

// ReadLookup returns a row for each key, nil where there is none, and, if they were asked for, scores.
func ReadLookup(a *wire.Answer) (rows, scores [][]byte, err error) {
	rows, scores = a.Rest.Texts(), a.Rest.Texts()
	return rows, scores, a.Rest.Err()
}
