package redistest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	shards       = 3
	slots        = 16384
	formTimeout  = 30 * time.Second
	quickTimeout = "1000"  // ms, while the cluster forms and after FailOver: nodes also tell news twice as often as that
	calmTimeout  = "15000" // ms, between that: nobody takes a node for dead only because the machine is busy
)

// Sharded is a Redis Cluster of three primaries, each with a replica. Its methods may not be called from several goroutines at once,
// but for Client and Of.
type Sharded struct {
	nodes []*Server // the first three were made primaries
}

// StartSharded starts a Redis Cluster of three primaries and three replicas, which is complete when it returns, and stops it when the
// test ends. It takes about three seconds. A slot whose primary is gone does not stop the others
// (cluster-require-full-coverage no).
func StartSharded(t testing.TB) *Sharded {
	t.Helper()
	c := &Sharded{nodes: startAll(t, node, 2*shards, "--cluster-node-timeout", quickTimeout, "--cluster-require-full-coverage", "no",
		"--cluster-replica-validity-factor", "0", "--cluster-allow-replica-migration", "no", "--repl-diskless-sync-delay", "0",
		"--repl-ping-replica-period", "1")} // nodes do not name a replica that has heard nothing
	ctx, cancel := context.WithTimeout(t.Context(), formTimeout)
	defer cancel()
	if err := c.form(ctx, t); err != nil {
		t.Fatalf("redistest: cluster: %v", err)
	}
	return c
}

// startAll starts so many servers at once, and stops them when the test ends.
func startAll(t testing.TB, r role, n int, args ...string) []*Server {
	t.Helper()
	var wg sync.WaitGroup
	servers, errs := make([]*Server, n), make([]error, n)
	for i := range n {
		wg.Go(func() { servers[i], errs[i] = startAs(r, Options{Args: args}) })
	}
	wg.Wait()
	for i, s := range servers {
		if s != nil {
			t.Cleanup(s.stop)
		}
		if errs[i] != nil {
			t.Errorf("redistest: %v", errs[i])
		}
	}
	if t.Failed() {
		t.FailNow()
	}
	return servers
}

// form gives the primaries their slots, has all nodes meet, and makes the rest replicas.
func (c *Sharded) form(ctx context.Context, t testing.TB) error {
	for i, s := range c.nodes {
		rdb := s.Client(t)
		if err := rdb.Do(ctx, "cluster", "set-config-epoch", i+1).Err(); err != nil {
			return err
		}
		if i < shards {
			if err := rdb.ClusterAddSlotsRange(ctx, i*slots/shards, (i+1)*slots/shards-1).Err(); err != nil {
				return err
			}
		}
		for _, met := range c.nodes[:i] { // each with each: to hear of one another takes longer
			if err := rdb.Do(ctx, "cluster", "meet", host, met.port, met.bus).Err(); err != nil {
				return err
			}
		}
	}
	for i, s := range c.nodes[shards:] {
		replica, primary := s.Client(t), c.nodes[i].Client(t)
		if err := eventually(ctx, func() error { return follow(ctx, replica, primary) }); err != nil {
			return err
		}
	}
	if err := c.eachNode(ctx, t, complete); err != nil {
		return err
	}
	return c.eachNode(ctx, t, nodeTimeout(calmTimeout))
}

// nodeTimeout sets after how many milliseconds of silence a node takes another one for dead.
func nodeTimeout(ms string) func(context.Context, *redis.Client) error {
	return func(ctx context.Context, rdb *redis.Client) error {
		return rdb.ConfigSet(ctx, "cluster-node-timeout", ms).Err()
	}
}

// follow makes a node the replica of another one, which it must know already.
func follow(ctx context.Context, replica, primary *redis.Client) error {
	id, err := primary.ClusterMyID(ctx).Result()
	if err != nil {
		return err
	}
	return replica.ClusterReplicate(ctx, id).Err()
}

// complete tells what a node lacks: it serves, and knows every primary and every replica.
func complete(ctx context.Context, rdb *redis.Client) error {
	info, err := rdb.ClusterInfo(ctx).Result()
	if err != nil {
		return err
	}
	if !strings.Contains(info, "cluster_state:ok") {
		return fmt.Errorf("%w: it does not serve", errNotReady)
	}
	ranges, err := slotsOf(ctx, rdb)
	if err != nil {
		return err
	}
	known := 0
	for _, r := range ranges {
		known += len(r.Nodes)
	}
	if known != 2*shards {
		return fmt.Errorf("%w: it knows %d nodes", errNotReady, known)
	}
	return replicates(ctx, rdb)
}

// replicates tells what a replica lacks; a primary lacks nothing.
func replicates(ctx context.Context, rdb *redis.Client) error {
	info, err := rdb.Info(ctx, "replication").Result()
	if err == nil && strings.Contains(info, "role:slave") && !strings.Contains(info, "master_link_status:up") {
		return fmt.Errorf("%w: it does not hear its primary", errNotReady)
	}
	return err
}

// eachNode waits until each living node satisfies what is asked of it.
func (c *Sharded) eachNode(ctx context.Context, t testing.TB, asked func(context.Context, *redis.Client) error) error {
	for _, s := range c.living() {
		rdb := s.Client(t)
		if err := eventually(ctx, func() error { return asked(ctx, rdb) }); err != nil {
			return err
		}
	}
	return nil
}

func (c *Sharded) living() (alive []*Server) {
	for _, s := range c.nodes {
		if s.alive() {
			alive = append(alive, s)
		}
	}
	return alive
}

// Addrs returns the addresses of all nodes.
func (c *Sharded) Addrs() (addrs []string) {
	for _, s := range c.nodes {
		addrs = append(addrs, s.Addr())
	}
	return addrs
}

// Client returns a client of the cluster, closed when the test ends. mod may change its options first, and may be nil.
func (c *Sharded) Client(t testing.TB, mod func(*redis.ClusterOptions)) *redis.ClusterClient {
	t.Helper()
	o := &redis.ClusterOptions{Addrs: c.Addrs(), ReadTimeout: 5 * time.Second}
	if mod != nil {
		mod(o)
	}
	rdb := redis.NewClusterClient(o)
	t.Cleanup(func() { rdb.Close() }) // the test may have closed it already
	return rdb
}

// eventually calls f until it succeeds or ctx ends, and returns its latest error.
func eventually(ctx context.Context, f func() error) error {
	for {
		err := f()
		if err == nil {
			return nil
		}
		if !pause(ctx) {
			return err
		}
	}
}
