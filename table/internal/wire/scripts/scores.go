package scripts

import (
	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var scores = define(wire.MayRead, reading, "scores")

// Scores reads the scores of rows in every index but one, by their keys, which are at most 4,000.
func Scores(c *wire.Client, except int, keys [][]byte) []any {
	args := append(read(c, scores, 1+len(keys)), except+1)
	for i := range keys {
		args = append(args, (*engine.Bytes)(&keys[i]))
	}
	return args
}

// ReadScores returns the scores: a list for each of the other indexes, in which a key without a row has an empty score.
func ReadScores(a *wire.Answer) ([][][]byte, error) {
	all := a.Rest.Lists()
	return all, a.Rest.Err()
}
