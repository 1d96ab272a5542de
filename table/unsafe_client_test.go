package table_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// Wrappers, as programs write them: a client that is embedded, or that calls are handed to.
type (
	embedding  struct{ redis.UniversalClient }
	outer      struct{ *embedding }
	ringOf     struct{ *redis.Ring }
	hiddenRing = redis.Ring
	hiding     struct{ *hiddenRing }
	clientOf   struct{ *redis.Client }
	clusterOf  struct{ *redis.ClusterClient }
	copied     struct{ redis.Ring }
)

// unsafeClients are clients that Open must refuse for what they are.
func unsafeClients(t *testing.T, addr string) map[string]redis.UniversalClient {
	ring := closing(t, redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"a": addr}}))
	endless := closing(t, redis.NewClient(&redis.Options{Addr: addr, ReadTimeout: -1}))
	replica := closing(t, redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{addr}, ReadOnly: true}))
	ofSentinels := closing(t, redis.NewUniversalClient(&redis.UniversalOptions{
		Addrs: []string{addr}, MasterName: "m", RouteRandomly: true}))
	fleet := redis.NewUniversalClient(&redis.UniversalOptions{Addrs: []string{addr}, IsClusterMode: true, RouteByLatency: true})
	return map[string]redis.UniversalClient{
		"a ring":                                ring,
		"a ring in an interface":                &embedding{ring},
		"a ring in a wrapper":                   ringOf{ring},
		"a ring two deep":                       outer{&embedding{ring}},
		"a ring under another name":             hiding{ring},
		"a copied ring":                         new(copied),
		"sentinels, any replica":                ofSentinels,
		"a cluster, the nearest replica":        closing(t, fleet),
		"a wrapped cluster that reads replicas": &clusterOf{replica},
		"a wrapped client without a time-out":   &clientOf{endless},
		"no client":                             nil,
		"a nil client":                          (*redis.Client)(nil),
		"a nil cluster":                         (*redis.ClusterClient)(nil),
		"a nil ring":                            (*redis.Ring)(nil),
		"a nil wrapper":                         (*embedding)(nil),
		"a wrapper of nothing":                  &embedding{},
		"a wrapper of a nil client":             &embedding{(*redis.Client)(nil)},
		"a wrapper by value of a nil client":    clientOf{},
		"a wrapper of a nil cluster":            clusterOf{},
		"a wrapper of a nil wrapper":            outer{},
		"a wrapper of a wrapper of nothing":     outer{&embedding{}},
		"a client that nobody made":             new(redis.Client),
		"a cluster that nobody made":            new(redis.ClusterClient),
	}
}

func TestP3_AClientThatMayLeadElsewhereIsRefused(t *testing.T) {
	t.Parallel()
	for what, rdb := range unsafeClients(t, redistest.Shared(t).Addr()) {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			_, err := table.Open(t.Context(), rdb, itemDefinition("{a}"))
			if !errors.Is(err, table.ErrUnsafeClient) {
				t.Errorf("got %v, want ErrUnsafeClient", err)
			}
		})
	}
}

func TestP3_ARingIsRefusedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	ring := closing(t, redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"a": redistest.Shared(t).Addr()}}))
	sent := new(counter)
	ring.AddHook(sent)
	if _, err := table.Open(t.Context(), ring, itemDefinition("{a}")); !errors.Is(err, table.ErrUnsafeClient) || sent.n.Load() != 0 {
		t.Errorf("got %v after %d commands, want ErrUnsafeClient before the first", err, sent.n.Load())
	}
}

// A wrapper of a sound client is sound.
func TestP3_AWrapperOfASoundClientIsTaken(t *testing.T) {
	t.Parallel()
	rdb := redistest.Shared(t).Client(t)
	for what, wrapped := range map[string]redis.UniversalClient{
		"in an interface": &embedding{rdb}, "embedded": clientOf{rdb}, "two deep": outer{&embedding{rdb}},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			tbl := openAs(t, wrapped, rdb, itemDefinition(redistest.Prefix(t)), []string{"at", "rank"})
			ok(t, tbl.Put(ctx, numbered(0, 3)...))
			wantIDs(t, tbl, tbl.All("at"), 0, 1, 2)
		})
	}
}
