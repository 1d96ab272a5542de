package redistest

import (
	"context"
	"fmt"
	"net"
	"testing"

	"github.com/redis/go-redis/v9"
)

// Of returns the primary that has the slot of a key.
func (c *Sharded) Of(t testing.TB, key string) *Server {
	t.Helper()
	nodes, err := c.serving(t.Context(), t, key)
	if err != nil {
		t.Fatalf("redistest: cluster: %v", err)
	}
	return nodes[0]
}

// ReplicaOf returns a replica of the primary that has the slot of a key.
func (c *Sharded) ReplicaOf(t testing.TB, key string) *Server {
	t.Helper()
	nodes, err := c.serving(t.Context(), t, key)
	if err != nil || len(nodes) < 2 {
		t.Fatalf("redistest: cluster: no replica (%v)", err)
	}
	return nodes[1]
}

// serving returns the primary that has the slot of a key, and its replicas, as a living node has it.
func (c *Sharded) serving(ctx context.Context, t testing.TB, key string) (found []*Server, err error) {
	nodes, err := nodesOf(ctx, c.living()[0].Client(t), key)
	for _, n := range nodes {
		for _, s := range c.nodes {
			if s.Addr() == n.Addr {
				found = append(found, s)
			}
		}
	}
	return found, err
}

// slotsOf returns which nodes have which slots, as a node has it. (CLUSTER SHARDS, which is newer, also names nodes that have failed.)
func slotsOf(ctx context.Context, rdb *redis.Client) ([]redis.ClusterSlot, error) {
	cmd := redis.NewClusterSlotsCmd(ctx, "cluster", "slots")
	_ = rdb.Process(ctx, cmd) // the command has the error
	return cmd.Result()
}

// nodesOf returns where a node sends those who ask for a key: the primary, and its replicas.
func nodesOf(ctx context.Context, rdb *redis.Client, key string) ([]redis.ClusterNode, error) {
	slot, err := rdb.ClusterKeySlot(ctx, key).Result()
	if err != nil {
		return nil, err
	}
	ranges, err := slotsOf(ctx, rdb)
	if err != nil {
		return nil, err
	}
	for _, r := range ranges {
		if int64(r.Start) <= slot && slot <= int64(r.End) && len(r.Nodes) > 0 {
			return r.Nodes, nil
		}
	}
	return nil, fmt.Errorf("%w: nobody has slot %d", errNotReady, slot)
}

// MoveSlot moves the slot of a key, with all keys in it, to another primary, one key at a time, and returns that. It does what
// redis-cli --cluster reshard does. Before each key it calls before, which may be nil.
func (c *Sharded) MoveSlot(t testing.TB, key string, before func()) (to *Server) {
	t.Helper()
	from := c.Of(t, key)
	to = c.otherPrimary(t, from)
	m := move{t: t, from: from.Client(t), to: to.Client(t), target: to, before: before}
	if err := m.run(t.Context(), key); err != nil {
		t.Fatalf("redistest: moving a slot: %v", err)
	}
	if err := c.eachNode(t.Context(), t, func(ctx context.Context, rdb *redis.Client) error {
		return knows(ctx, rdb, key, to)
	}); err != nil {
		t.Fatalf("redistest: a moved slot: %v", err)
	}
	return to
}

func (c *Sharded) otherPrimary(t testing.TB, than *Server) *Server {
	t.Helper()
	for _, s := range c.living() {
		role, err := s.Client(t).Do(t.Context(), "role").Slice()
		if err == nil && s != than && role[0] == "master" {
			return s
		}
	}
	t.Fatal("redistest: cluster: no other primary")
	return nil
}

// move is the move of one slot from one primary to another.
type move struct {
	t        testing.TB
	from, to *redis.Client
	target   *Server
	before   func()
}

func (m move) run(ctx context.Context, key string) error {
	slot, err := m.from.ClusterKeySlot(ctx, key).Result()
	if err != nil {
		return err
	}
	giver, err := m.from.ClusterMyID(ctx).Result()
	if err != nil {
		return err
	}
	taker, err := m.to.ClusterMyID(ctx).Result()
	if err != nil {
		return err
	}
	if err := m.to.Do(ctx, "cluster", "setslot", slot, "importing", giver).Err(); err != nil {
		return err
	}
	if err := m.from.Do(ctx, "cluster", "setslot", slot, "migrating", taker).Err(); err != nil {
		return err
	}
	if err := m.keys(ctx, int(slot)); err != nil {
		return err
	}
	if err := m.to.Do(ctx, "cluster", "setslot", slot, "node", taker).Err(); err != nil {
		return err
	}
	return m.from.Do(ctx, "cluster", "setslot", slot, "node", taker).Err()
}

// keys moves keys of the slot until none is left.
func (m move) keys(ctx context.Context, slot int) error {
	address, port, err := net.SplitHostPort(m.target.Addr())
	if err != nil {
		return err
	}
	for {
		keys, err := m.from.ClusterGetKeysInSlot(ctx, slot, 1).Result()
		if err != nil || len(keys) == 0 {
			return err
		}
		if m.before != nil {
			m.before()
		}
		if err := m.from.Do(ctx, "migrate", address, port, keys[0], 0, startTimeout.Milliseconds()).Err(); err != nil {
			return err
		}
	}
}

// knows tells whether a node sends those who ask for a key to a server.
func knows(ctx context.Context, rdb *redis.Client, key string, s *Server) error {
	nodes, err := nodesOf(ctx, rdb, key)
	if err == nil && nodes[0].Addr != s.Addr() {
		err = fmt.Errorf("%w: a node does not know that %s has the slot", errNotReady, s.Addr())
	}
	return err
}

// FailOver kills the primary that has the slot of a key, waits until its replica has taken over and every node knows that, and
// returns the new primary. When the old one is dead it calls meanwhile, which may be nil.
func (c *Sharded) FailOver(t testing.TB, key string, meanwhile func()) *Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), formTimeout)
	defer cancel()
	old, next := c.Of(t, key), c.ReplicaOf(t, key)
	err := c.eachNode(ctx, t, nodeTimeout(quickTimeout))
	old.Kill(t)
	if meanwhile != nil {
		meanwhile()
	}
	if err == nil {
		err = c.eachNode(ctx, t, func(ctx context.Context, rdb *redis.Client) error { return knows(ctx, rdb, key, next) })
	}
	if err != nil {
		t.Fatalf("redistest: fail-over: %v", err)
	}
	return next
}

// HandOver has the replica of the primary that has the slot of a key take over from it, as for maintenance: the old primary lives on as
// a replica, and nothing is lost. It returns the new primary, once every node knows it.
func (c *Sharded) HandOver(t testing.TB, key string) *Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), formTimeout)
	defer cancel()
	next := c.ReplicaOf(t, key)
	err := next.Client(t).ClusterFailover(ctx).Err()
	if err == nil {
		err = c.eachNode(ctx, t, func(ctx context.Context, rdb *redis.Client) error { return knows(ctx, rdb, key, next) })
	}
	if err != nil {
		t.Fatalf("redistest: handing over: %v", err)
	}
	return next
}
