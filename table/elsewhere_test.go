package table_test

import (
	"context"
	"errors"
	"net"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// movedTable is a table that was moved by a fail-over from one server to another, which has written since. Its client's address
// leads to the new server, but connections of its pools may still lead to the old one.
type movedTable struct {
	*items
	rdb                *redis.Client
	old, now           *redistest.Server
	address            atomic.Value
	oldAdmin, nowAdmin *redis.Client
}

// poolName is the name of the client's connections.
const poolName = "pooled"

// moveTable opens a table, and has its server replaced by a replica that has got everything. Nothing is lost.
func moveTable(t *testing.T, user *redis.Options, opts ...table.Option) *movedTable {
	t.Helper()
	old := redistest.Start(t, redistest.Options{Args: []string{"--repl-diskless-sync-delay", "0"}})
	now := redistest.Start(t, redistest.Options{})
	m := &movedTable{old: old, now: now, oldAdmin: old.Client(t), nowAdmin: now.Client(t)}
	m.address.Store(old.Addr())
	m.rdb = old.TCPClient(t, func(o *redis.Options) {
		o.PoolSize, o.PipelinePoolSize, o.ClientName, o.Username, o.Password = 40, 40, poolName, user.Username, user.Password
		o.Dialer = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", m.address.Load().(string))
		}
	})
	if user.Username != "" {
		for _, admin := range []*redis.Client{m.oldAdmin, m.nowAdmin} {
			ok(t, admin.ACLSetUser(t.Context(), user.Username, "on", ">"+user.Password, "~t:*", "+@all", "-info").Err())
		}
	}
	var err error
	opts = append(opts, table.WithLease(time.Hour)) // a renewal might dial the old server just before nobody is led there any more
	m.items, err = table.Open(t.Context(), m.rdb, itemDefinition("t"), opts...)
	ok(t, err)
	t.Cleanup(func() { m.Close() })
	put(t, m.items, numbered(0, 5)...)
	host, port, err := net.SplitHostPort(old.Addr())
	ok(t, err)
	ok(t, m.nowAdmin.ReplicaOf(t.Context(), host, port).Err())
	until(t, "the replica", func() bool { return m.oldAdmin.Wait(t.Context(), 1, 0).Val() == 1 })
	ok(t, m.nowAdmin.ReplicaOf(t.Context(), "NO", "ONE").Err())
	m.address.Store(now.Addr())
	ok(t, m.oldAdmin.Do(t.Context(), "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes").Err())
	put(t, m.items, numbered(0, 6)...)
	put(t, m.items, numbered(5, 7)...)
	return m
}

// fates are what becomes of the old server.
var fates = map[string]func(t *testing.T, old *redis.Client){
	"a replica that hears nothing": command("REPLICAOF", "127.0.0.1", "1"),
	"a primary that was cut off":   func(*testing.T, *redis.Client) {},
	"emptied":                      command("FLUSHALL"),
	"emptied, and a replica": func(t *testing.T, old *redis.Client) {
		command("FLUSHALL")(t, old)
		command("REPLICAOF", "127.0.0.1", "1")(t, old)
	},
	"without an index": command("DEL", "t:i:at"),
	"without rows":     command("DEL", "t:r"),
	"with a key of a foreign type": func(t *testing.T, old *redis.Client) {
		command("SET", "t:m", "foreign")(t, old)
	},
	"of an earlier owner": command("HSET", "t:m", "epoch", "0:earlier"),
}

var clientID = regexp.MustCompile(`id=(\d+) .* name=` + poolName + ` .* flags=(\S+) `)

// pooled returns the ids of the client's connections to a server that have one of these flags.
func pooled(t *testing.T, admin *redis.Client, flags string) (ids []string) {
	t.Helper()
	for line := range strings.Lines(admin.ClientList(t.Context()).Val()) {
		if m := clientID.FindStringSubmatch(line); m != nil && strings.ContainsAny(m[2], flags) {
			ids = append(ids, m[1])
		}
	}
	return ids
}

// Flags of connections.
const (
	blocked = "b"
	idle    = "N" // or at least no other flag
)

// spoil makes n idle connections in each pool lead to the old server; they are the next to be used.
func (m *movedTable) spoil(t *testing.T, n int) {
	t.Helper()
	ctx := context.Background()
	block := &redis.XReadArgs{Streams: []string{"t:none", "$"}}
	m.address.Store(m.old.Addr())
	stats := m.rdb.PoolStats()
	single, several := n+int(stats.IdleConns), n+int(stats.PipelineStats.IdleConns)
	done := make(chan struct{}, single+several)
	for range single {
		go func() { m.rdb.XRead(ctx, block); done <- struct{}{} }()
	}
	for range several {
		go func() {
			_, _ = m.rdb.Pipelined(ctx, func(p redis.Pipeliner) error { p.XRead(ctx, block); return nil })
			done <- struct{}{}
		}()
	}
	var atOld, atNow []string
	until(t, "all connections to be used", func() bool {
		atOld, atNow = pooled(t, m.oldAdmin, blocked), pooled(t, m.nowAdmin, blocked)
		return len(atOld)+len(atNow) == single+several
	})
	if len(atOld) < n { // some that came back meanwhile were used instead
		t.Fatalf("%d connections lead to the old server, want about %d", len(atOld), 2*n)
	}
	m.address.Store(m.now.Addr())
	for _, server := range []struct {
		admin *redis.Client
		ids   []string
	}{{m.nowAdmin, atNow}, {m.oldAdmin, atOld}} { // those that come back last are used first
		for _, id := range server.ids {
			ok(t, server.admin.Do(t.Context(), "CLIENT", "UNBLOCK", id).Err())
			receive(t, "a connection to come back", done)
		}
	}
}

// Connections of the pools lead to a server that the table has left: no call says ErrLost, each answers what is true, and the
// connections are gone afterwards.
func TestP4_ConnectionsThatLeadElsewhereLoseNothing(t *testing.T) {
	t.Parallel()
	for what, fate := range fates {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			m := moveTable(t, &redis.Options{})
			fate(t, m.oldAdmin)
			for call, run := range allVerbs() {
				ok(t, m.Clear(t.Context()))
				put(t, m.items, numbered(0, 6)...)
				m.spoil(t, 4)
				err := run(t.Context(), m.items)
				if errors.Is(err, table.ErrNotFound) || err != nil {
					t.Errorf("%s: %v", call, err)
				}
				if _, regular := regularVerbs[call]; !regular && call != "Clear" {
					ok(t, m.ScratchAbort(t.Context()))
					wantIDs(t, m.items, m.All("at"), 0, 1, 2, 3, 4, 5)
				}
				ok(t, m.Err())
			}
		})
	}
}

// The numbers of the report: four of ten connections, 300 Gets, at once and one after another.
func TestP4_ReadsAtOnceAreAllRight(t *testing.T) {
	t.Parallel()
	for what, fate := range fates {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			m := moveTable(t, &redis.Options{})
			fate(t, m.oldAdmin)
			m.spoil(t, 4)
			var calls []<-chan error
			for i := range 300 {
				calls = append(calls, async(t, func() error { _, err := m.Get(t.Context(), int64(i%7)); return err }))
			}
			for _, c := range calls {
				ok(t, receive(t, "a Get", c))
			}
			m.spoil(t, 4)
			for i := range 300 {
				_, err := m.Get(t.Context(), int64(i%7))
				ok(t, err)
			}
			if left := pooled(t, m.oldAdmin, blocked+idle); len(left) > 4 { // those of the pool that nobody has used again
				t.Errorf("%d connections still lead to the old server", len(left))
			}
			put(t, m.items, numbered(7, 8)...)
			wantIDs(t, m.items, m.All("at"), 0, 1, 2, 3, 4, 5, 6, 7)
		})
	}
}

// A long read goes on over connections that lead elsewhere, and so does a fold.
func TestP4_LongReadsAndFoldsLoseNothing(t *testing.T) {
	t.Parallel()
	for what, fate := range fates {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			b := newBrake(t)
			m := moveTable(t, &redis.Options{}, table.WithCleanup(b.pool))
			fate(t, m.oldAdmin)
			put(t, m.items, numbered(0, 900)...)
			n := 0
			for _, err := range m.Records(t.Context(), m.All("at")) {
				ok(t, err)
				if n++; n%300 == 1 {
					m.spoil(t, 4)
				}
			}
			if n != 900 {
				t.Errorf("%d records, want 900", n)
			}
			ok(t, m.ScratchPut(t.Context(), numbered(0, 900)...))
			m.spoil(t, 4)
			ok(t, m.ScratchMerge(t.Context()))
			m.spoil(t, 4)
			b.release()
			ok(t, m.WaitClear(t.Context()))
			put(t, m.items, numbered(900, 901)...)
			ok(t, m.Err())
		})
	}
}

// Where the server does not tell its role, a connection that was made for it must do.
func TestP4_WithoutTheRole(t *testing.T) {
	t.Parallel()
	m := moveTable(t, &redis.Options{Username: "limited", Password: "PASSWORD"})
	fates["a replica that hears nothing"](t, m.oldAdmin)
	for call, run := range readVerbs {
		m.spoil(t, 4)
		if err := run(t.Context(), m.items); err != nil {
			t.Errorf("%s: %v", call, err)
		}
	}
	m.spoil(t, 4)
	put(t, m.items, numbered(0, 2)...)
}

// Where new connections lead to a replica, too, nothing is known: that is no loss. When they lead to the primary again all goes on.
func TestP4_AReplicaProvesNoLoss(t *testing.T) {
	t.Parallel()
	m := moveTable(t, &redis.Options{})
	fates["a replica that hears nothing"](t, m.oldAdmin)
	for call, run := range readVerbs {
		m.spoil(t, 4)
		m.address.Store(m.old.Addr())
		if err := run(t.Context(), m.items); !errors.Is(err, table.ErrUnsafeClient) || errors.Is(err, table.ErrLost) {
			t.Errorf("%s: got %v, want ErrUnsafeClient", call, err)
		}
		m.address.Store(m.now.Addr())
		ok(t, run(t.Context(), m.items))
	}
	ok(t, m.Err())
}

// What is lost on the primary is lost, and final: also when somebody brings it back.
func TestP4_ALossThatWasConfirmedIsFinal(t *testing.T) {
	t.Parallel()
	for call, run := range readVerbs {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
			tbl, err := table.Open(t.Context(), rdb, itemDefinition(name))
			ok(t, err)
			defer tbl.Close()
			put(t, tbl, numbered(0, 5)...)
			before := rdb.HGetAll(t.Context(), name+":m").Val()
			put(t, tbl, numbered(0, 5)...)
			ok(t, rdb.HSet(t.Context(), name+":m", before).Err())
			if err := run(t.Context(), tbl); !errors.Is(err, table.ErrLost) {
				t.Errorf("got %v, want ErrLost", err)
			}
			receive(t, "Done", tbl.Done())
			ok(t, rdb.HSet(t.Context(), name+":m", "seq", "2").Err())
			for _, verbs := range []map[string]verb{readVerbs, regularVerbs, scratchVerbs, emptyVerbs} {
				for later, run := range verbs {
					if err := run(t.Context(), tbl); !errors.Is(err, table.ErrLost) {
						t.Errorf("%s afterwards: got %v, want ErrLost", later, err)
					}
				}
			}
		})
	}
}
