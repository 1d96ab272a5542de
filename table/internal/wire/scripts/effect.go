package scripts

import (
	"strconv"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// Effect is a numbered effect, with its owner and its entry in the feed.
type Effect struct {
	*engine.Effect
	Epoch layout.Epoch
	Trim  string       // the id of the first entry that stays; empty: all stay; layout.NoFeed: there is no feed
	Body  engine.Bytes // of its entry; nil: none
	Keys  engine.Bytes // of an Apply's entry: the body of its keys
}

// noted tells a script whether the effect has a note.
func (e *Effect) noted() string {
	if e.Note == nil {
		return ""
	}
	return "noted"
}

// numbered begins the call of a numbered effect: epoch, prev, seq, state, trim, body.
func numbered(c *wire.Client, s *wire.Script, e *Effect, n int) []any {
	args := c.Call(s, 6+n)
	return append(args, string(e.Epoch), strconv.FormatUint(e.Prev, 10), strconv.FormatUint(e.Seq, 10), e.State.String(), e.Trim, &e.Body)
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
