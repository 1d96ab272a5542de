package table_test

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/internal/walk"
	"github.com/tablecache-go/tablecache/table"
)

// clients are all kinds of clients that a table may have, on the shared server, a cluster, or both.
func clients(cluster string) map[string]func(*testing.T) redis.UniversalClient {
	tcp := func(change func(*redis.Options)) func(*testing.T) redis.UniversalClient {
		return func(t *testing.T) redis.UniversalClient { return redistest.Shared(t).TCPClient(t, change) }
	}
	return map[string]func(*testing.T) redis.UniversalClient{
		"TCP, RESP2": tcp(func(o *redis.Options) { o.Protocol = 2 }),
		"TCP, RESP3": tcp(func(o *redis.Options) { o.Protocol = 3 }),
		"unix socket, RESP2": func(t *testing.T) redis.UniversalClient {
			return closing(t, redis.NewClient(&redis.Options{Network: "unix", Addr: redistest.Shared(t).Socket(), Protocol: 2}))
		},
		"unix socket, RESP3": func(t *testing.T) redis.UniversalClient { return redistest.Shared(t).Client(t) },
		"one connection":     tcp(func(o *redis.Options) { o.PoolSize = 1 }),
		"another database":   tcp(func(o *redis.Options) { o.DB = 3 }),
		"cluster": func(t *testing.T) redis.UniversalClient {
			return closing(t, redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{cluster}}))
		},
		"cluster, RESP2": func(t *testing.T) redis.UniversalClient {
			return closing(t, redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{cluster}, Protocol: 2}))
		},
		"universal client of a cluster": func(t *testing.T) redis.UniversalClient {
			return closing(t, redis.NewUniversalClient(&redis.UniversalOptions{Addrs: []string{cluster}, IsClusterMode: true}))
		},
	}
}

func closing[C redis.UniversalClient](t testing.TB, c C) C {
	t.Cleanup(func() { c.Close() })
	return c
}

func TestEveryVerbWithEveryClient(t *testing.T) {
	t.Parallel()
	for kind, client := range clients(redistest.StartCluster(t).Addr()) {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			rdb := client(t)
			for _, name := range []string{"{" + redistest.Prefix(t) + "}", "a:{" + redistest.Prefix(t) + "}:b"} {
				ok(t, everyVerb(t.Context(), rdb, name))
				tbl, err := table.Open(t.Context(), rdb, itemDefinition(name))
				ok(t, err)
				ok(t, tbl.Put(t.Context(), numbered(0, 50)...))
				ok(t, tbl.ScratchPut(t.Context(), numbered(40, 60)...))
				ok(t, tbl.ScratchMerge(t.Context()))
				ok(t, tbl.WaitClear(t.Context()))
				wantItems(t, all(t, tbl.Records(t.Context(), tbl.All("at"))), numbered(0, 60))
				ok(t, tbl.Close())
				walk.Walk(t, rdb, name, "at", "rank")
			}
		})
	}
}
