package scripts

import (
	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var lookup = define(wire.MayRead, readingRows, "lookup")

// NoIndex stands for no index: no scores are wanted.
const NoIndex = -1

// Lookup reads rows by their keys, and their scores in an index unless that is NoIndex.
func Lookup(c *wire.Client, s Scope, index int, keys []engine.Bytes) []any {
	args := append(read(c, lookup, 2+len(keys)), s.arg(), index+1)
	for i := range keys {
		args = append(args, &keys[i])
	}
	return args
}

// ReadLookup returns a row for each key, which is nil if there is none, and scores if there was an index.
func ReadLookup(a *wire.Answer) (rows, scores [][]byte, err error) {
	rows, scores = a.Rest.Texts(), a.Rest.Texts()
	return rows, scores, a.Rest.Err()
}
