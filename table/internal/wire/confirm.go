package wire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// After a fail-over some connections of the pool may still lead to a server that the table has left, and that server may have
// older data. So no caller is told that the table is lost before a second connection has confirmed it. That connection is made
// for this purpose, and the server must not call itself a replica. The scripts are loaded there first, because that server may not
// know them. If the user may not ask a server for its role, any new connection will do. If we do not know the type of the client
// and cannot make a connection, the client is asked once more.

// ErrReplica: the server that a new connection leads to is a replica.
var ErrReplica = fmt.Errorf("%w: the server is a replica", ErrUnsafeClient)

// Confirm sends commands through a new connection. If it returns nil, a primary has answered, and each command has its error. If it
// returns ErrReplica, each command has its error, but their answers prove nothing. With any other error none was answered.
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
	err := primaryOnly(role.Val(), role.Err())
	c.Note(err)
	if err != nil && !errors.Is(err, ErrReplica) {
		return fmt.Errorf("tablecache: a connection to confirm a loss: %w", err)
	}
	return err
}

// primaryOnly judges the answer to INFO replication. It returns ErrReplica for a replica, and err; but a user who may not ask for the
// role may be served by any server.
func primaryOnly(info string, err error) error {
	switch {
	case IsRefusal(err) && !Passes(err):
		return nil
	case err == nil && infoField(info, "role") == "slave":
		return ErrReplica
	}
	return err
}

// ConfirmCall calls a script that writes through a new connection, once. A replica refuses the script. Errors are those of Run.
func (c *Client) ConfirmCall(ctx context.Context, call []any) (Answer, error) {
	cmd := NewOnce(ctx, call...)
	err := c.Confirm(ctx, cmd)
	if errors.Is(err, ErrReplica) {
		err = nil // cmd has the refusal of the replica, or an answer if the replica was promoted meanwhile
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

// nodeIsGone tells whether nobody listens where a cluster's node was: another one may be the table's by now.
func (c *Client) nodeIsGone(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial" && !op.Timeout() &&
		slices.ContainsFunc(clientsIn(c.Redis), func(within any) bool { _, is := within.(*redis.ClusterClient); return is })
}

// findNode has a cluster's client ask again which node is the table's, soon: at most every 200 ms, and not before it returns.
func (c *Client) findNode() {
	for _, within := range clientsIn(c.Redis) {
		if cluster, ok := within.(*redis.ClusterClient); ok {
			cluster.ReloadState(context.Background())
		}
	}
}

// newClient returns a client with the options of node. It makes one connection, and sends nothing twice. The hooks of node do not
// see it.
func newClient(node *redis.Client) *redis.Client {
	o := *node.WithTimeout(node.Options().ReadTimeout).Options() // the options of a copy of the client, because the client itself may write to its own
	o.PoolSize, o.PipelinePoolSize, o.MinIdleConns, o.MaxActiveConns = 1, -1, 0, 0
	o.MaxRetries, o.DialerRetries = -1, 1
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	o.ClientSideCache, o.ClientSideCacheConfig, o.AutoPipelineOptions = nil, nil, nil
	return redis.NewClient(&o)
}

// DropIdle closes the idle connections of the client's pools. Call it when Confirm has found that one of them leads to another
// server. It uses that go-redis closes a connection if it cannot write a command to it; nothing is sent to a server. While one call
// of DropIdle runs, others return at once.
func (c *Client) DropIdle(ctx context.Context) {
	node, err := c.Node(ctx)
	if err != nil || !c.dropping.TryLock() {
		return
	}
	defer c.dropping.Unlock()
	quiet := node.WithTimeout(node.Options().ReadTimeout)
	quiet.Options().Limiter = nil // of the copy: the user's Limiter must not count these errors
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
