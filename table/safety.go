package table

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"
)

// checkClient refuses clients under which a guarantee could not be kept.
func checkClient(rdb redis.UniversalClient, table string) error {
	switch c := rdb.(type) {
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
		d := c.Options().ReadTimeout
		if d == 0 { // a Ring leaves the default to the clients of its shards
			return checkTag(table)
		}
		return firstOf(checkTag(table), checkReadTimeout(d))
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

// checkReadTimeout: without it Close could wait for ever.
func checkReadTimeout(d time.Duration) error {
	if d <= 0 {
		return fmt.Errorf("%w: a client without read time-out", ErrUnsafeClient)
	}
	return nil
}

// checkTag: all keys of a table must live on one node.
func checkTag(table string) error {
	if !hashTag.MatchString(table) {
		return fmt.Errorf("%w: on Redis Cluster and Ring the table's name needs a {tag}", ErrUnsafeClient)
	}
	return nil
}

// checkServer refuses a replica, and a server that may evict the table, whose key is given.
func checkServer(ctx context.Context, rdb redis.UniversalClient, o *options, key string) error {
	check := func(ctx context.Context, node *redis.Client) error { return checkNode(ctx, node, o) }
	switch c := rdb.(type) {
	case *redis.ClusterClient:
		node, err := c.MasterForKey(ctx, key)
		if err != nil {
			return fmt.Errorf("tablecache: finding the table's node: %w", err)
		}
		return check(ctx, node)
	case *redis.Ring:
		return c.ForEachShard(ctx, check)
	}
	return checkNode(ctx, rdb, o)
}

func checkNode(ctx context.Context, node redis.Cmdable, o *options) error {
	role, err := info(ctx, node, "replication", "role")
	if err != nil {
		return unlessRefused(err, o)
	}
	if role == "slave" {
		return fmt.Errorf("%w: the server is a replica", ErrUnsafeClient)
	}
	policy, err := info(ctx, node, "memory", "maxmemory_policy")
	if err != nil {
		return unlessRefused(err, o)
	}
	if strings.HasPrefix(policy, "allkeys-") && !o.evictable {
		return fmt.Errorf("%w: maxmemory-policy %s may evict the table (see WithEvictionAllowed)", ErrUnsafeClient, policy)
	}
	return nil
}

// unlessRefused lets a server pass that does not tell, and says so in the log.
func unlessRefused(err error, o *options) error {
	if isServerError(err) && !temporary(err) {
		o.logger.Warn("the server does not tell its role and eviction policy; not checked", zap.Error(err))
		return nil
	}
	return err
}

// info returns one field of one section of INFO, waiting through LOADING and the like.
func info(ctx context.Context, node redis.Cmdable, section, field string) (string, error) {
	var text string
	err := patiently(ctx, nil, func() (err error) {
		text, err = node.Info(ctx, section).Result()
		return err
	})
	if err != nil {
		return "", fmt.Errorf("tablecache: info: %w", err)
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
