package table

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/engine"
)

// fly sends what waits until the reader is stopped.
func (r *reader) fly() {
	for {
		select {
		case a := <-r.asks:
			r.send(r.gather(a))
		case <-r.done:
			return
		}
	}
}

// gather adds to a what else waits now.
func (r *reader) gather(a *ask) []*ask {
	batch := make([]*ask, 0, gathered)
	for {
		if !a.left.Load() {
			batch = append(batch, a)
		}
		if len(batch) == gathered {
			return batch
		}
		select {
		case a = <-r.asks:
		default:
			return batch
		}
	}
}

// send has a batch answered: short ranges by plain commands where that goes, everything else by scripts in one pipeline.
func (r *reader) send(batch []*ask) {
	ctx := context.Background() // no caller's: the batch is many callers'
	batch = r.scan(ctx, batch)
	if len(batch) == 0 {
		return
	}
	calls := r.calls(ctx, batch)
	var cmds []redis.Cmder
	for i := range calls {
		cmds = calls[i].appendTo(cmds)
	}
	r.away.Add(1)
	if len(cmds) == 1 {
		_ = r.rdb.Process(ctx, cmds[0]) // the command has the error
	} else {
		p := r.rdb.Pipeline()
		_ = p.BatchProcess(ctx, cmds...) // only queued
		flush(ctx, p)
	}
	r.away.Add(-1)
	for i := range calls {
		calls[i].deliver()
	}
}

// call is one script call, or the plain commands of one question, and whom it answers: one question, or several look-ups.
type call struct {
	page pageCmd               // for a page by a script
	rows *redis.StringSliceCmd // or, if rows are asked for by plain commands
	cmds []*redis.RawCmd       // and for all else
	asks []*ask
}

func (c *call) appendTo(cmds []redis.Cmder) []redis.Cmder {
	if c.page.into != nil {
		return append(cmds, c.page)
	}
	if c.rows != nil {
		cmds = append(cmds, c.rows)
	}
	for _, cmd := range c.cmds {
		cmds = append(cmds, cmd)
	}
	return cmds
}

// joined bounds how many keys of several look-ups travel in one call.
const joined = 1000

// calls makes as few calls of the batch as there must be.
func (r *reader) calls(ctx context.Context, batch []*ask) (calls []call) {
	var lookups []*ask
	keys := 0
	for _, a := range batch {
		if a.keys == nil || keys+len(a.keys) > joined {
			calls = append(calls, a.alone(ctx))
			continue
		}
		keys += len(a.keys)
		lookups = append(lookups, a)
	}
	if len(lookups) > 0 {
		calls = append(calls, call{cmds: raw(ctx, r.joinedCall(lookups)), asks: lookups})
	}
	return calls
}

// joinedCall looks up what several questions ask for.
func (r *reader) joinedCall(lookups []*ask) []any {
	if len(lookups) == 1 {
		return lookups[0].call
	}
	var keys []engine.Bytes
	for _, a := range lookups {
		keys = append(keys, a.keys...)
	}
	return r.wire.lookupCall(mergedView, noIndex, keys)
}

func (a *ask) alone(ctx context.Context) call {
	if a.page != nil {
		return call{page: newPageCmd(ctx, a.page.guess(), a.call), asks: []*ask{a}}
	}
	if a.plain == nil {
		return call{cmds: raw(ctx, a.call), asks: []*ask{a}}
	}
	c := call{cmds: raw(ctx, a.plain...), asks: []*ask{a}}
	if a.rows != nil {
		c.rows = redis.NewStringSliceCmd(ctx, a.rows...)
	}
	return c
}

func raw(ctx context.Context, commands ...[]any) []*redis.RawCmd {
	cmds := make([]*redis.RawCmd, len(commands))
	for i, args := range commands {
		cmds[i] = redis.NewRawCmd(ctx, args...)
	}
	return cmds
}

// deliver gives every question its part of the answer.
func (c *call) deliver() {
	if c.asks[0].plain != nil {
		c.deliverPlain(c.asks[0])
		return
	}
	var all answer
	raw, err := c.answer()
	if err == nil {
		all, err = readAnswer(raw)
	}
	var rows [][]byte
	if len(c.asks) > 1 && err == nil && all.status == "OK" {
		rows = all.rest.texts()
		err = all.rest.err
	}
	for _, a := range c.asks {
		a.reply.answer, a.err = all, err
		if n := len(a.keys); rows != nil && n <= len(rows) {
			a.reply.rows, rows = rows[:n:n], rows[n:]
		}
		close(a.done)
	}
}

// answer returns a script's.
func (c *call) answer() ([]byte, error) {
	if c.page.into == nil {
		return c.cmds[0].Val(), c.cmds[0].Err()
	}
	c.asks[0].page.learn(len(c.page.Val()), 1)
	return c.page.Val(), c.page.Err()
}

func (c *call) deliverPlain(a *ask) {
	if c.rows != nil {
		a.reply.rows, a.err = ownRows(c.rows)
	}
	for _, cmd := range c.cmds {
		if a.err == nil {
			a.err = rawError(cmd)
		}
		a.reply.raw = append(a.reply.raw, cmd.Val())
	}
	close(a.done)
}

// rawError returns why a command has no answer, be it the server that says so.
func rawError(cmd *redis.RawCmd) error {
	r := resp{rest: cmd.Val()}
	if err := cmd.Err(); err != nil || len(r.rest) == 0 || r.rest[0] != '-' {
		return err
	}
	r.line()
	return r.err
}
