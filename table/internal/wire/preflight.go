package wire

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"github.com/tablecache-go/tablecache/table/internal/layout"
)

// ErrUnsafeClient: the client or the server is configured so that guarantees cannot hold.
var ErrUnsafeClient = errors.New("tablecache: unsafe redis configuration")

// CheckClient refuses clients with which a guarantee could not be kept. Of a wrapper it checks the clients that it hands calls to.
func CheckClient(rdb redis.UniversalClient, table string) (err error) {
	defer func() {
		if recover() != nil { // the options are nil
			err = fmt.Errorf("%w: a client that no constructor has made", ErrUnsafeClient)
		}
	}()
	for _, c := range clientsIn(rdb) {
		if err := checkClient(c, table); err != nil {
			return err
		}
	}
	return nil
}

func checkClient(c any, table string) error {
	switch c := c.(type) {
	case nil:
		return fmt.Errorf("%w: no client", ErrUnsafeClient)
	case *redis.Client:
		return checkReadTimeout(c.Options().ReadTimeout)
	case *redis.ClusterClient:
		o := c.Options()
		if o.ReadOnly || o.RouteByLatency || o.RouteRandomly {
			return fmt.Errorf("%w: the owner of a table must read the primary, not a replica", ErrUnsafeClient)
		}
		return firstOf(checkTag(table), checkReadTimeout(o.ReadTimeout))
	case *redis.Ring:
		return fmt.Errorf("%w: a Ring sends keys elsewhere when it takes a node for gone, so that a table may have two owners",
			ErrUnsafeClient)
	case *redis.AutoPipeliner:
		return fmt.Errorf("%w: an AutoPipeliner may send a write twice; give its client", ErrUnsafeClient)
	}
	return nil
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// checkReadTimeout refuses a client without read time-out: with it Close could wait for ever.
func checkReadTimeout(d time.Duration) error {
	if d <= 0 {
		return fmt.Errorf("%w: a client without read time-out", ErrUnsafeClient)
	}
	return nil
}

// checkTag refuses a name without a {tag}: all keys of a table must live on one node.
func checkTag(table string) error {
	if !layout.HasTag(table) {
		return fmt.Errorf("%w: on Redis Cluster the table's name needs a {tag}", ErrUnsafeClient)
	}
	return nil
}

// Preflight says how the server is checked before a table is opened there.
type Preflight struct {
	Evictable bool        // accept a server that may evict the table
	Logger    *zap.Logger // for a line about what could not be checked
}

// CheckServer refuses a replica, and a server that may evict the table. It waits while a refusal passes by itself. A replica may have been
// the primary a moment ago: it is refused when no other server was found within half a second.
func (c *Client) CheckServer(ctx context.Context, f Preflight) error {
	pause := firstPause
	for n := 1; ; n++ {
		err := c.checkServer(ctx, f)
		if !errors.Is(err, ErrReplica) || n == mostReplicas {
			return err
		}
		c.Note(err)
		if err := c.Pause(ctx, pause); err != nil {
			return err
		}
		pause = min(2*pause, mostPause)
	}
}

// server returns a client of the table's server, which is asked about itself.
func (c *Client) server(ctx context.Context) (redis.Cmdable, error) {
	rdb, ok := c.Redis.(*redis.ClusterClient)
	if !ok {
		return c.Redis, nil
	}
	node, err := rdb.MasterForKey(ctx, c.Keys.Truth)
	if err != nil {
		return nil, fmt.Errorf("tablecache: finding the table's node: %w", WithoutEcho(err))
	}
	return node, nil
}

// Prepare checks the server and loads the scripts. When ctx ends it returns at once; a call that hangs in a socket ends by itself
// later.
func (c *Client) Prepare(ctx context.Context, f Preflight) error {
	since := time.Now()
	_, err := await(ctx, func() (struct{}, error) {
		err := c.CheckServer(ctx, f)
		if err == nil {
			err = c.Load(ctx)
		}
		return struct{}{}, err
	})
	if ctx.Err() != nil {
		return c.EndedWaiting(ctx, since)
	}
	return err
}

func (c *Client) checkServer(ctx context.Context, f Preflight) error {
	role, err := c.info(ctx, "replication", "role")
	if err != nil {
		return f.unlessRefused(err)
	}
	if role == "slave" {
		return ErrReplica
	}
	if f.Evictable {
		return nil
	}
	policy, err := c.info(ctx, "memory", "maxmemory_policy")
	if err != nil {
		return f.unlessRefused(err)
	}
	if strings.HasPrefix(policy, "allkeys-") {
		return fmt.Errorf("%w: maxmemory-policy %s may evict the table (see WithEvictionAllowed)", ErrUnsafeClient, policy)
	}
	return nil
}

// unlessRefused returns err, unless the server has refused to tell: then it logs that, and returns nil.
func (f Preflight) unlessRefused(err error) error {
	if IsRefusal(err) && !Passes(err) {
		f.Logger.Warn("the server does not tell its role and eviction policy; not checked", zap.Error(err))
		return nil
	}
	return err
}

// info returns one field of one section of INFO.
func (c *Client) info(ctx context.Context, section, field string) (string, error) {
	var text string
	err := c.Retry(ctx, nil, SendAgain, func() error {
		node, err := c.server(ctx)
		if err == nil {
			text, err = node.Info(ctx, section).Result()
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("info: %w", err)
	}
	return infoField(text, field), nil
}

func infoField(text, field string) string {
	for line := range strings.Lines(text) {
		if value, found := strings.CutPrefix(line, field+":"); found {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
