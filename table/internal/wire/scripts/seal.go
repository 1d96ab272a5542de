package scripts

import (
	"context"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var seal = define(wire.MayFree, nil, "seal") // no less than what it seals

// QueueSeal ends a transaction with the truth: the number of the effect e, what it leaves behind, and what there is to count
// then. widest is that of the table before e. Unless the returned number has left, the transaction was not run. The script is sent as text: inside a transaction a forgotten script would leave
// rows without their number and count. It has no answer but an error.
func QueueSeal(ctx context.Context, p redis.Pipeliner, c *wire.Client, e *engine.Effect, r engine.Result, widest int) (wire.Once, *wire.Departure) {
	seq, version := wire.NewDeparture(strconv.FormatUint(e.Seq, 10)).If(e.Depart), strconv.FormatUint(r.Version, 10)
	last := make(engine.Bytes, len(r.Verdicts))
	for i, v := range r.Verdicts {
		last[i] = byte(v)
	}
	k := &c.Keys
	return wire.Queue(ctx, p, "eval", c.Text(seal), 4, &k.Truth, &k.Rows, &k.Staged, &k.Shadow[0],
		seq, r.State.String(), version, max(widest, Widest(e.Rows)), &last), seq
}
