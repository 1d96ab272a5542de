package scripts

import (
	"strconv"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// numbered begins the call of a numbered effect: epoch, prev, seq.
func numbered(c *wire.Client, s *wire.Script, epoch layout.Epoch, e *engine.Effect, n int) []any {
	args := c.Call(s, 3+n)
	return append(args, string(epoch), strconv.FormatUint(e.Prev, 10), strconv.FormatUint(e.Seq, 10))
}

// Result reads from an answer what a numbered effect has left behind.
func Result(a wire.Answer) engine.Result {
	return engine.Result{
		State:      a.View.State,
		Generation: a.View.Generation,
		Version:    a.View.Version,
		Verdicts:   []engine.Verdict(a.Last),
	}
}

// appendRows appends rows in the order in which commands in the script take them: how many there are, the bytes of the widest; key,
// row ...; and for each index score, key ...
func appendRows(args []any, rows []engine.Row, indexes int) []any {
	args = append(args, len(rows), Widest(rows))
	for i := range rows {
		args = append(args, &rows[i].Key, &rows[i].Value)
	}
	for j := range indexes {
		for i := range rows {
			args = append(args, &rows[i].Scores[j], &rows[i].Key)
		}
	}
	return args
}

// rowArgs is how many arguments appendRows makes.
func rowArgs(rows []engine.Row, indexes int) int { return 2 + len(rows)*2*(1+indexes) }

// Widest returns how many bytes the longest row has.
func Widest(rows []engine.Row) (most int) {
	for i := range rows {
		most = max(most, len(rows[i].Value))
	}
	return most
}
