package wire

import (
	"context"
	"errors"

	"github.com/redis/go-redis/v9"
)

// Dedicated is a connection of its own to the table's server, for commands that block. It is for one goroutine, but Close may come
// from another.
type Dedicated struct {
	rdb  redis.UniversalClient
	own  *redis.Client // nil if the client does not tell its nodes: then rdb is the user's
	sent bool
}

// Dedicate returns a connection that is made when the first command is sent.
func (c *Client) Dedicate(ctx context.Context) (*Dedicated, error) {
	node, err := await(ctx, func() (*redis.Client, error) { return c.Node(ctx) }) // a cluster's client may ask a node
	switch {
	case errors.Is(err, ErrNoNode):
		return &Dedicated{rdb: c.Redis}, nil
	case err != nil:
		return nil, err
	}
	fresh := newClient(node)
	return &Dedicated{rdb: fresh, own: fresh}, nil
}

// Do sends one command and returns its raw answer. The first one is sent only to a server that does not call itself a replica, if the
// user may ask for that: else the error is ErrReplica. When ctx ends, Do returns at once, and the connection cannot be used any more.
func (d *Dedicated) Do(ctx context.Context, args ...any) ([]byte, error) {
	defer context.AfterFunc(ctx, d.Close)()
	return await(ctx, func() ([]byte, error) { return d.do(ctx, args) })
}

func (d *Dedicated) do(ctx context.Context, args []any) ([]byte, error) {
	if !d.sent {
		if err := d.checkRole(ctx); err != nil {
			return nil, err
		}
		d.sent = true
	}
	cmd := redis.NewRawCmd(ctx, args...)
	_ = d.rdb.Process(ctx, cmd) // the command has the error
	hideEchoes(cmd)
	return cmd.Val(), RawError(cmd)
}

func (d *Dedicated) checkRole(ctx context.Context) error {
	info, err := d.rdb.Info(ctx, "replication").Result()
	return primaryOnly(info, WithoutEcho(err))
}

// Close closes the connection. Do returns at once then, with an error.
func (d *Dedicated) Close() {
	if d.own != nil {
		_ = d.own.Close()
	}
}
