package table_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// A table that has lost a key which its fold needs ends with ErrLost instead of waiting for ever.
func TestG11_AFoldThatMeetsALossIsErrLost(t *testing.T) {
	t.Parallel()
	for what, lose := range losses(scene{keys: []string{":m", ":r", ":s", ":i:at", ":i:rank", ":x:at", ":x:rank"}}) {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			rdb, name, b := redistest.Shared(t).Client(t), redistest.Prefix(t), newBrake(t)
			tbl, err := table.Open(t.Context(), rdb, itemDefinition(name), table.WithCleanup(b.pool))
			ok(t, err)
			defer tbl.Close()
			put(t, tbl, numbered(0, 5)...)
			ok(t, tbl.ScratchPut(t.Context(), numbered(3, 8)...))
			merge(t, tbl)
			ok(t, lose(t.Context(), rdb, name))
			done := async(t, func() error { return tbl.Put(t.Context(), numbered(9, 10)...) })
			b.release()
			if err := receive(t, "a Put", done); !errors.Is(err, table.ErrLost) {
				t.Errorf("got %v, want ErrLost", err)
			}
		})
	}
}

// disasters are what befalls a server whose table has acknowledged two writes, of which one was saved on disk.
var disasters = map[string]func(t *testing.T, s *redistest.Server){
	"FLUSHALL": func(t *testing.T, s *redistest.Server) { ok(t, s.Client(t).FlushAll(t.Context()).Err()) },
	"a restart with what was saved before": func(t *testing.T, s *redistest.Server) {
		s.Kill(t)
		s.Restart(t)
	},
	"a restart without data": func(t *testing.T, s *redistest.Server) {
		ok(t, s.Client(t).FlushAll(t.Context()).Err())
		ok(t, s.Client(t).Save(t.Context()).Err())
		s.Kill(t)
		s.Restart(t)
	},
}

func TestG11_DisastersAreErrLostAtTheFirstReadAndWrite(t *testing.T) {
	t.Parallel()
	for what, strike := range disasters {
		for call, run := range map[string]verb{"Get": readVerbs["Get"], "Count": readVerbs["Count"], "Records": readVerbs["Records"],
			"Put": regularVerbs["Put"], "Delete": regularVerbs["Delete"], "ScratchPut": scratchVerbs["ScratchPut"], "Clear": clearing["Clear"]} {
			t.Run(what+"/"+call, func(t *testing.T) {
				t.Parallel()
				s := redistest.Start(t, redistest.Options{})
				rdb, name := s.Client(t), "t"
				tbl, err := table.Open(t.Context(), rdb, itemDefinition(name))
				ok(t, err)
				defer tbl.Close()
				put(t, tbl, numbered(0, 5)...)
				ok(t, rdb.Save(t.Context()).Err())
				put(t, tbl, numbered(0, 5)...) // the counts stay the same
				strike(t, s)
				if err := run(t.Context(), tbl); !errors.Is(err, table.ErrLost) {
					t.Errorf("got %v, want ErrLost", err)
				}
				again := openOn(t, rdb, name, table.WithReset())
				put(t, again, numbered(0, 2)...)
				wantIDs(t, again, again.All("at"), 0, 1)
			})
		}
	}
}

// A primary dies, and a replica that has not received the last write takes its place.
func TestG11_AFailoverToALaggingReplicaIsErrLost(t *testing.T) {
	t.Parallel()
	for call, run := range map[string]verb{"Get": readVerbs["Get"], "Put": regularVerbs["Put"], "ScratchPut": scratchVerbs["ScratchPut"]} {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			tbl, rdb := failover(t)
			if err := run(t.Context(), tbl); !errors.Is(err, table.ErrLost) {
				t.Errorf("got %v, want ErrLost", err)
			}
			again, err := table.Open(t.Context(), rdb, itemDefinition("t")) // what is there is whole, only old
			ok(t, err)
			defer again.Close()
			wantIDs(t, again, again.All("at"), 0, 1, 2, 3, 4)
		})
	}
}

// failover returns a table whose primary has died, and whose client now talks to a replica that lacks the last write.
func failover(t *testing.T) (*items, *redis.Client) {
	t.Helper()
	primary, replica := withReplica(t)
	rdb, moveTo := movable(t, primary)
	tbl, err := table.Open(t.Context(), rdb, itemDefinition("t"))
	ok(t, err)
	t.Cleanup(func() { tbl.Close() })
	put(t, tbl, numbered(0, 5)...)
	caughtUp(t, primary)
	ok(t, replica.Client(t).ReplicaOf(t.Context(), "NO", "ONE").Err()) // from here on it hears nothing
	put(t, tbl, numbered(0, 5)...)
	moveTo(replica)
	primary.Kill(t)
	return tbl, rdb
}

// withReplica starts a primary, and a replica of it.
func withReplica(t *testing.T) (primary, replica *redistest.Server) {
	t.Helper()
	primary = redistest.Start(t, redistest.Options{Args: []string{"--repl-diskless-sync-delay", "0"}})
	host, port, err := net.SplitHostPort(primary.Addr())
	ok(t, err)
	return primary, redistest.Start(t, redistest.Options{Args: []string{"--replicaof", host, port}})
}

// movable returns a client of a server, and a function that has its new connections lead to another one.
func movable(t *testing.T, s *redistest.Server) (rdb *redis.Client, moveTo func(*redistest.Server)) {
	var addr atomic.Value
	addr.Store(s.Addr())
	rdb = s.TCPClient(t, func(o *redis.Options) {
		o.Dialer = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", addr.Load().(string))
		}
	})
	return rdb, func(s *redistest.Server) { addr.Store(s.Addr()) }
}

// caughtUp waits until a replica has acknowledged all that the primary has. WAIT looks only at what its own connection has
// written, so that something is written on it first: for one that has written nothing, a replica that still loads will do.
func caughtUp(t *testing.T, primary *redistest.Server) {
	t.Helper()
	rdb := primary.Client(t)
	until(t, "the replica", func() bool {
		conn := rdb.Conn()
		defer conn.Close()
		return conn.Set(t.Context(), "mark", "", 0).Err() == nil && conn.Wait(t.Context(), 1, time.Second).Val() == 1
	})
}

func TestOpenRefusesAReplica(t *testing.T) {
	t.Parallel()
	_, replica := withReplica(t)
	if _, err := table.Open(t.Context(), replica.Client(t), itemDefinition("t")); !errors.Is(err, table.ErrUnsafeClient) {
		t.Errorf("got %v, want ErrUnsafeClient", err)
	}
}

func TestG11_OpenRefusesAServerThatMayEvictTheTable(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{})
	rdb := s.Client(t)
	for policy, refused := range map[string]bool{"allkeys-lru": true, "allkeys-lfu": true, "allkeys-random": true,
		"volatile-lru": false, "volatile-lfu": false, "volatile-random": false, "volatile-ttl": false, "noeviction": false} {
		ok(t, rdb.ConfigSet(t.Context(), "maxmemory-policy", policy).Err())
		tbl, err := table.Open(t.Context(), rdb, itemDefinition("t"))
		if errors.Is(err, table.ErrUnsafeClient) != refused || !refused && err != nil {
			t.Errorf("%s: got %v, refused must be %v", policy, err, refused)
		}
		if err == nil {
			ok(t, tbl.Close())
		}
	}
}

// Redis evicts keys of the table while it is written: what is answered is whole, until it is ErrLost.
func TestG11_EvictionIsErrLost(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{Args: []string{"--maxmemory", "3mb", "--maxmemory-policy", "allkeys-lru"}})
	rdb := s.Client(t)
	tbl, err := table.Open(t.Context(), rdb, itemDefinition("t"), table.WithEvictionAllowed())
	ok(t, err)
	defer tbl.Close()
	for n := 0; ; n += 100 {
		if n > 100_000 {
			t.Fatal("nothing was evicted")
		}
		if err = tbl.Put(t.Context(), padded(n, n+100)...); err != nil {
			break
		}
		var got int
		if got, err = tbl.Count(t.Context(), tbl.All("at")); err != nil {
			break
		}
		if got != n+100 {
			t.Fatalf("%d of %d rows are there, without an error", got, n+100)
		}
	}
	if !errors.Is(err, table.ErrLost) {
		t.Errorf("got %v, want ErrLost", err)
	}
}

// padded returns items of about a kilobyte.
func padded(from, to int) []item {
	all := numbered(from, to)
	for i := range all {
		all[i].Name = strings.Repeat("x", 1000)
	}
	return all
}

// After FLUSHALL there is an error, never an empty answer. (TestG11_… lose one key after the other.)
func TestU21_AnEmptiedServerIsAnError(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t, redistest.Options{}).Client(t)
	tbl, err := table.Open(t.Context(), rdb, itemDefinition("t"))
	ok(t, err)
	defer tbl.Close()
	put(t, tbl, numbered(0, 5)...)
	ok(t, rdb.FlushAll(t.Context()).Err())
	for call, run := range readVerbs {
		if err := run(t.Context(), tbl); !errors.Is(err, table.ErrLost) {
			t.Errorf("%s: got %v, want ErrLost", call, err)
		}
	}
}

// A failover that loses acknowledged writes is told.
func TestU29_AFailoverThatLosesWritesIsTold(t *testing.T) {
	t.Parallel()
	tbl, _ := failover(t)
	if err := lastError(tbl.Records(t.Context(), tbl.All("at"))); !errors.Is(err, table.ErrLost) {
		t.Errorf("got %v, want ErrLost", err)
	}
}
