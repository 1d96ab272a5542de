package scan

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/wire"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// answer answers a group of requests. Those that must be sent alone are. Of the rest it answers ranges by a range scan if that pays,
// and all others in one pipeline.
func (b *batcher) answer(group []*pending) {
	together := group[:0]
	for _, p := range group {
		if p.alone {
			b.exchange([]*pending{p})
		} else {
			together = append(together, p)
		}
	}
	if left := b.scanRanges(together); len(left) > 0 {
		b.exchange(left)
	}
}

// exchange sends requests in one pipeline, and gives each its answer.
func (b *batcher) exchange(group []*pending) {
	ctx := wire.ForCallers(b.ctx, callersOf(group))
	commands := b.commandsFor(ctx, group)
	cmds := group[0].lists.cmd[:0]
	for i := range commands {
		cmds = commands[i].appendTo(cmds)
	}
	b.away.Add(1)
	err := b.send(ctx, cmds)
	b.away.Add(-1)
	b.client.Note(cmds[0].Err())
	for i := range commands {
		commands[i].deliver(b.client, err)
	}
}

// sendPooled sends commands through the client.
func sendPooled(c *wire.Client) func(context.Context, []redis.Cmder) error {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if len(cmds) == 1 {
			c.Process(ctx, cmds[0])
			return nil
		}
		p := c.Redis.Pipeline()
		_ = p.BatchProcess(ctx, cmds...) // only queued
		wire.Flush(ctx, p)
		return nil
	}
}

// command is one script call, or the plain commands of one request. It answers one request, or several look-ups.
type command struct {
	pageCmd  wire.BufferedCmd      // for a page by a script
	isPage   bool                  // pageCmd is set
	rows     *redis.StringSliceCmd // for rows by plain commands
	raw      []*redis.RawCmd       // for all else
	requests []*pending
}

func (c *command) appendTo(cmds []redis.Cmder) []redis.Cmder {
	if c.isPage {
		return append(cmds, c.pageCmd)
	}
	if c.rows != nil {
		cmds = append(cmds, c.rows)
	}
	for _, cmd := range c.raw {
		cmds = append(cmds, cmd)
	}
	return cmds
}

// commandsFor returns the commands for requests. Look-ups of several requests travel in one call.
func (b *batcher) commandsFor(ctx context.Context, group []*pending) (commands []command) {
	commands = group[0].lists.command[:0]
	var lookups []*pending
	keys := 0
	for _, p := range group {
		if p.keys == nil || keys+len(p.keys) > joined || len(lookups) > 0 && lookups[0].client != p.client {
			commands = append(commands, p.command(ctx))
			continue
		}
		if keys += len(p.keys); lookups == nil {
			lookups = p.lists.request[:0]
		}
		lookups = append(lookups, p)
	}
	if len(lookups) > 0 {
		commands = append(commands, command{raw: lookups[0].script(ctx, joinedCall(lookups)), requests: lookups})
	}
	return commands
}

// joinedCall returns one call for the keys of all look-ups, which are asked under one schema.
func joinedCall(lookups []*pending) []any {
	if len(lookups) == 1 {
		return lookups[0].call
	}
	var keys []engine.Bytes
	for _, p := range lookups {
		keys = append(keys, p.keys...)
	}
	return scripts.Lookup(lookups[0].client, scripts.Merged, scripts.NoIndex, keys)
}

// command returns the command for one request alone.
func (p *pending) command(ctx context.Context) command {
	c := command{requests: append(p.lists.request[:0], p)}
	switch {
	case p.pageSizes != nil:
		c.pageCmd, c.isPage = wire.NewBufferedCmd(ctx, p.pageSizes.Guess(), p.call), true
	case p.commands == nil:
		c.raw = p.script(ctx, p.call)
	default:
		c.raw = rawCommands(ctx, p.commands...)
		if p.rows != nil {
			c.rows = redis.NewStringSliceCmd(ctx, p.rows...)
		}
	}
	return c
}

// script returns the command of one script call.
func (p *pending) script(ctx context.Context, call []any) []*redis.RawCmd {
	return append(p.lists.raw[:0], redis.NewRawCmd(ctx, call...))
}

func rawCommands(ctx context.Context, commands ...[]any) []*redis.RawCmd {
	cmds := make([]*redis.RawCmd, len(commands))
	for i, args := range commands {
		cmds[i] = redis.NewRawCmd(ctx, args...)
	}
	return cmds
}

// deliver gives every request its part of the answer, or the reason why there is none.
func (c *command) deliver(by *wire.Client, unanswered error) {
	if unanswered != nil {
		for _, p := range c.requests {
			p.err = unanswered
			close(p.done)
		}
		return
	}
	if c.requests[0].commands != nil {
		c.deliverCommands(c.requests[0])
		return
	}
	var all wire.Answer
	raw, err := c.answer()
	if err == nil {
		all, err = by.ReadAnswer(raw)
	}
	var rows [][]byte
	if len(c.requests) > 1 && err == nil && all.Status == wire.StatusOK {
		rows = all.Rest.Texts()
		err = all.Rest.Err()
	}
	for _, p := range c.requests {
		p.response.Answer, p.err = all, err
		if n := len(p.keys); rows != nil && n <= len(rows) {
			p.response.rows, rows = rows[:n:n], rows[n:]
		}
		close(p.done)
	}
}

// answer returns what the script has answered.
func (c *command) answer() ([]byte, error) {
	if !c.isPage {
		return c.raw[0].Val(), wire.RawError(c.raw[0])
	}
	c.requests[0].pageSizes.Learn(len(c.pageCmd.Val()), 1)
	return c.pageCmd.Val(), c.pageCmd.Failure()
}

func (c *command) deliverCommands(p *pending) {
	if c.rows != nil {
		p.response.rows, p.err = wire.OwnRows(c.rows)
	}
	for _, cmd := range c.raw {
		if p.err == nil {
			p.err = wire.RawError(cmd)
		}
		p.response.raw = append(p.response.raw, cmd.Val())
	}
	close(p.done)
}
