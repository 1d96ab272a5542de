package wire

import (
	"context"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
)

// Commands are the commands about one table that never change.
type Commands struct {
	Truth []any
	Sizes [][]any // of rows, staged rows, the indexes, the shadow indexes
	Watch []any   // all keys
	Multi []any
	Exec  []any

	Lineage, Exists []any // the truth's LineageFields; how many of all keys there are
}

func newCommands(k layout.Keys) Commands {
	c := Commands{
		Truth: []any{"hmget", &k.Truth},
		Watch: []any{"watch", &k.Truth},
		Multi: []any{"multi"},
		Exec:  []any{"exec"},
	}
	for _, field := range layout.TruthFields {
		c.Truth = append(c.Truth, field)
	}
	c.Lineage, c.Exists = []any{"hmget", &k.Truth}, []any{"exists", &k.Truth}
	for _, field := range layout.LineageFields {
		c.Lineage = append(c.Lineage, field)
	}
	for _, key := range k.All[1:] {
		c.Exists = append(c.Exists, &key)
		c.Watch = append(c.Watch, &key)
	}
	c.Sizes = [][]any{{"hlen", &k.Rows}, {"hlen", &k.Staged}}
	for _, key := range slices.Concat(k.Merged, k.Shadow) {
		c.Sizes = append(c.Sizes, []any{"zcard", &key})
	}
	return c
}

// Command begins a command on a key, with room for n more arguments.
func Command(name string, key *string, n int) []any {
	return append(make([]any, 0, 2+n), name, key)
}

// HMGet returns the command that reads fields of a hash.
func HMGet(hash *string, keys [][]byte) []any {
	args := Command("hmget", hash, len(keys))
	for i := range keys {
		args = append(args, (*engine.Bytes)(&keys[i]))
	}
	return args
}

// QueueOnce adds a command to a pipeline. It is not sent again.
func QueueOnce(ctx context.Context, p Queue, args ...any) Once {
	cmd := NewOnce(ctx, args...)
	_ = p.Process(ctx, cmd) // only queued
	return cmd
}

// Process sends one command, after which it has its error.
func (c *Client) Process(ctx context.Context, cmd redis.Cmder) {
	_ = c.Redis.Process(ctx, cmd) // the command has the error
	hideEchoes(cmd)
}

// QueueRaw adds a command to a pipeline. Its answer is not parsed.
func QueueRaw(ctx context.Context, p Queue, args ...any) *redis.RawCmd {
	cmd := redis.NewRawCmd(ctx, args...)
	_ = p.Process(ctx, cmd) // only queued
	return cmd
}

// Flush sends a pipeline. After that each command has its error. (If there is no connection, because the server has refused it or
// because go-redis has closed it, go-redis itself sets no error on the commands.) Flush returns the server's refusal to read one of
// them, if there was one: see IsTooLong.
func Flush(ctx context.Context, p redis.Pipeliner) (tooLong error) {
	cmds, err := p.Exec(ctx)
	if err == nil {
		return nil
	}
	err, failed := WithoutEcho(err), false
	for _, cmd := range cmds {
		hideEchoes(cmd)
		failed = failed || cmd.Err() != nil
		if IsTooLong(cmd.Err()) {
			return cmd.Err()
		}
	}
	if !failed {
		for _, cmd := range cmds {
			cmd.SetErr(err)
		}
	}
	return nil
}
