package wire

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// What one connection says need not be true of the table: after a fail-over connections of the pool may still lead to a server
// that the table has left, and that knows less. So nobody is told that the table is lost before a connection that was made for
// it has said so too, to a server that does not call itself a replica. There the scripts are told first, for it may be a server
// that has not seen them. Where a server does not tell its role, as its user may not ask, the connection alone must do; and
// where no connection can be made, for the client is of a type that we do not know, the client is asked once more.

// ErrReplica: the server that a new connection leads to is a replica.
var ErrReplica = fmt.Errorf("%w: the server is a replica", ErrUnsafeClient)

// Confirm sends commands through a connection of their own. With nil a primary has got them, and each has its error. With
// ErrReplica each has its error too, but what they have read proves nothing. With another error none was answered.
func (c *Client) Confirm(ctx context.Context, cmds ...redis.Cmder) error {
	node, err := c.Node(ctx)
	if errors.Is(err, ErrNoNode) {
		p := c.Redis.Pipeline()
		return c.confirm(ctx, p, cmds)
	}
	if err != nil {
		return err
	}
	fresh := newClient(node)
	defer fresh.Close() // its only connection
	return c.confirm(ctx, fresh.Pipeline(), cmds)
}

func (c *Client) confirm(ctx context.Context, p redis.Pipeliner, cmds []redis.Cmder) error {
	role := p.Info(ctx, "replication")
	for _, s := range c.scripts {
		p.ScriptLoad(ctx, s.sources[c.dialect].text)
	}
	_ = p.BatchProcess(ctx, cmds...) // only queued
	Flush(ctx, p)
	switch err := role.Err(); {
	case err != nil && (!IsRefusal(err) || Passes(err)):
		return fmt.Errorf("tablecache: a connection to confirm a loss: %w", err)
	case err == nil && infoField(role.Val(), "role") == "slave":
		return ErrReplica
	}
	return nil
}

// ConfirmCall has a script that writes called through a connection of its own, once. A replica refuses it. Its errors are those of
// Run.
func (c *Client) ConfirmCall(ctx context.Context, call []any) (Answer, error) {
	cmd := NewOnce(ctx, call...)
	err := c.Confirm(ctx, cmd)
	if errors.Is(err, ErrReplica) {
		err = nil // which has refused to run it; unless it was promoted meanwhile
	}
	if err == nil {
		err = cmd.Err()
	}
	if err != nil {
		return Answer{}, err
	}
	return ParseAnswer(cmd.Val())
}

// ErrNoNode: the client is of a type that does not tell the nodes behind it.
var ErrNoNode = errors.New("tablecache: a client whose nodes are not known")

// Node returns the client of the table's node.
func (c *Client) Node(ctx context.Context) (*redis.Client, error) {
	switch rdb := c.Redis.(type) {
	case *redis.Client:
		return rdb, nil
	case *redis.ClusterClient:
		node, err := rdb.MasterForKey(ctx, c.Keys.Truth)
		return node, WithoutEcho(err)
	}
	return nil, ErrNoNode
}

// newClient returns a client like node's, with one connection that is to be made and sends nothing twice. Hooks of node do not see
// what travels on it.
func newClient(node *redis.Client) *redis.Client {
	o := *node.WithTimeout(node.Options().ReadTimeout).Options() // of a copy, for the client itself may write to its own
	o.PoolSize, o.PipelinePoolSize, o.MinIdleConns, o.MaxActiveConns = 1, -1, 0, 0
	o.MaxRetries, o.DialerRetries = -1, 1
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	o.ClientSideCache, o.ClientSideCacheConfig, o.AutoPipelineOptions = nil, nil, nil
	return redis.NewClient(&o)
}

// DropIdle closes the idle connections of the pools, some of which lead elsewhere, as Confirm has found. Not a word goes to a
// server: go-redis closes a connection for which it could not write a command. While one call does so, others return at once.
func (c *Client) DropIdle(ctx context.Context) {
	node, err := c.Node(ctx)
	if err != nil || !c.dropping.TryLock() {
		return
	}
	defer c.dropping.Unlock()
	quiet := node.WithTimeout(node.Options().ReadTimeout)
	quiet.Options().Limiter = nil // the copy's: nothing has failed
	s := node.PoolStats()
	for range s.IdleConns {
		_ = quiet.Process(ctx, redis.NewCmd(ctx, "exists", unwritable{}))
	}
	if s.PipelineStats == nil {
		return
	}
	for range s.PipelineStats.IdleConns {
		p := quiet.Pipeline()
		_ = p.Process(ctx, redis.NewCmd(ctx, "exists", unwritable{})) // only queued
		_, _ = p.Exec(ctx)
	}
}

// unwritable is an argument that cannot be written.
type unwritable struct{}

var errUnwritable = errors.New("tablecache: a connection is given up")

// MarshalBinary fails.
func (unwritable) MarshalBinary() ([]byte, error) { return nil, errUnwritable }
