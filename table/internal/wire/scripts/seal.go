package scripts

import (
	"context"
	"strconv"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var seal = define(wire.MayFree, nil, "seal") // it must run whenever the commands before it may

// QueueSeal queues the end of a transaction, which writes the truth: the number of the effect e, what it leaves behind (r), and the
// counts after it. before is the truth before e. If the returned Departure has not left, the transaction was not run. The
// script is sent as text, because in a transaction a script that the server has forgotten would leave rows without number and
// counts. Its answer says nothing unless it is an error.
func QueueSeal(ctx context.Context, p *wire.Pipeline, c *wire.Client, e *engine.Effect, r engine.Result, before *wire.Truth) (*wire.Ack, *wire.Departure) {
	seq := wire.NewDeparture(strconv.FormatUint(e.Seq, 10)).If(e.Depart)
	after := &struct { // in one piece of memory
		state   string
		version uint64
		widest  int
		last    engine.Bytes
	}{wire.StateWord(engine.View{State: r.State, Whole: r.Whole}), r.Version, max(before.Widest, Widest(e.Rows)), make(engine.Bytes, len(r.Verdicts))}
	for i, v := range r.Verdicts {
		after.last[i] = byte(v)
	}
	k := &c.Keys
	args := append(make([]any, 0, 16), "eval", c.Text(seal), 4, &k.Truth, &k.Rows, &k.Staged, &k.Shadow[0],
		seq, &after.state, &after.version, &after.widest, &after.last)
	if e.Note != nil {
		args = append(args, "notes", before.Notes+1, layout.NoteField, (*engine.Bytes)(&e.Note))
	}
	return p.Ack(ctx, args...), seq
}
