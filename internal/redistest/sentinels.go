package redistest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// WatchedName is the name under which sentinels know their primary.
const WatchedName = "watched"

const (
	sentinels = 3
	quorum    = 2
	downAfter = 1000 // ms
)

// Watched is a primary with replicas, and three sentinels, two of which must agree that it is gone. Its methods may not be called from
// several goroutines at once, but for Client.
type Watched struct {
	servers   []*Server // the first was made the primary
	sentinels []*Server
}

// StartWatched starts a primary, so many replicas, and three sentinels, which know each other and all replicas when it returns, and
// stops them when the test ends.
func StartWatched(t testing.TB, replicas int) *Watched {
	t.Helper()
	w := &Watched{servers: startAll(t, alone, 1+replicas, "--repl-diskless-sync-delay", "0"), sentinels: startAll(t, sentinel, sentinels)}
	ctx, cancel := context.WithTimeout(t.Context(), formTimeout)
	defer cancel()
	if err := w.form(ctx, t); err != nil {
		t.Fatalf("redistest: sentinels: %v", err)
	}
	return w
}

// sentinelFile is the configuration that a sentinel writes to. It is there, and empty at first.
func (s *Server) sentinelFile() string {
	path := filepath.Join(s.data, "sentinel.conf")
	if f, err := os.OpenFile(path, os.O_CREATE, 0o600); err == nil { // else the server says what is wrong
		_ = f.Close()
	}
	return path
}

func (w *Watched) form(ctx context.Context, t testing.TB) error {
	primary := w.servers[0]
	for _, s := range w.servers[1:] {
		if err := s.Client(t).ReplicaOf(ctx, host, strconv.Itoa(primary.port)).Err(); err != nil {
			return err
		}
	}
	for _, s := range w.servers[1:] {
		rdb := s.Client(t)
		if err := eventually(ctx, func() error { return replicates(ctx, rdb) }); err != nil {
			return err
		}
	}
	for _, s := range w.sentinels {
		if err := watch(ctx, s.Client(t), primary); err != nil {
			return err
		}
	}
	for _, s := range w.sentinels {
		rdb := s.Client(t)
		if err := eventually(ctx, func() error { return w.informed(ctx, rdb) }); err != nil {
			return err
		}
	}
	return nil
}

// watch has a sentinel watch a primary, and ask and tell more often than every few seconds.
func watch(ctx context.Context, rdb *redis.Client, primary *Server) error {
	for _, command := range [][]any{
		{"sentinel", "debug", "info-period", 200, "publish-period", 100, "ask-period", 100},
		{"sentinel", "monitor", WatchedName, host, primary.port, quorum},
		{"sentinel", "set", WatchedName, "down-after-milliseconds", downAfter, "failover-timeout", 10_000},
	} {
		if err := rdb.Do(ctx, command...).Err(); err != nil {
			return fmt.Errorf("%v: %w", command, err)
		}
	}
	return nil
}

// informed tells what a sentinel does not know yet.
func (w *Watched) informed(ctx context.Context, rdb *redis.Client) error {
	info, err := rdb.Info(ctx, "sentinel").Result()
	if err != nil {
		return err
	}
	want := fmt.Sprintf("slaves=%d,sentinels=%d", len(w.servers)-1, sentinels)
	if !strings.Contains(info, want) || !strings.Contains(info, "status=ok") {
		return fmt.Errorf("%w: a sentinel does not know all: %s", errNotReady, info)
	}
	return nil
}

// Addrs returns where the sentinels listen.
func (w *Watched) Addrs() (addrs []string) {
	for _, s := range w.sentinels {
		addrs = append(addrs, s.Addr())
	}
	return addrs
}

// Client returns a client that asks the sentinels for the primary, closed when the test ends. mod may change its options first, and
// may be nil.
func (w *Watched) Client(t testing.TB, mod func(*redis.FailoverOptions)) *redis.Client {
	t.Helper()
	o := &redis.FailoverOptions{MasterName: WatchedName, ReadTimeout: 5 * time.Second}
	for _, s := range w.sentinels {
		o.SentinelAddrs = append(o.SentinelAddrs, s.Addr())
	}
	if mod != nil {
		mod(o)
	}
	rdb := redis.NewFailoverClient(o)
	t.Cleanup(func() { rdb.Close() }) // the test may have closed it already
	return rdb
}

// Primary returns the server that the sentinels call the primary, once they agree.
func (w *Watched) Primary(t testing.TB) *Server {
	t.Helper()
	return w.otherThan(t, nil)
}

// FailOver kills the primary, waits until a replica has taken over and all sentinels say so, and returns the new primary. When the old
// one is dead it calls meanwhile, which may be nil.
func (w *Watched) FailOver(t testing.TB, meanwhile func()) *Server {
	t.Helper()
	old := w.Primary(t)
	old.Kill(t)
	if meanwhile != nil {
		meanwhile()
	}
	return w.otherThan(t, old)
}

// otherThan waits until all sentinels name the same primary, which is not old and calls itself one.
func (w *Watched) otherThan(t testing.TB, old *Server) (found *Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), formTimeout)
	defer cancel()
	var asked []*redis.SentinelClient
	for _, s := range w.sentinels {
		asked = append(asked, redis.NewSentinelClient(&redis.Options{Network: "unix", Addr: s.socket}))
		defer asked[len(asked)-1].Close()
	}
	err := eventually(ctx, func() (err error) {
		found, err = w.agreed(ctx, asked)
		if err == nil && found == old {
			err = fmt.Errorf("%w: it is not replaced yet", errNotReady)
		}
		return err
	})
	if err == nil {
		err = eventually(ctx, func() error { return found.isPrimary(ctx) })
	}
	if err != nil {
		t.Fatalf("redistest: sentinels: %v", err)
	}
	return found
}

// agreed returns the server that all sentinels call the primary.
func (w *Watched) agreed(ctx context.Context, asked []*redis.SentinelClient) (*Server, error) {
	told := map[string]bool{}
	var port string
	for _, s := range asked {
		addr, err := s.GetMasterAddrByName(ctx, WatchedName).Result()
		if err != nil {
			return nil, err
		}
		port = addr[1]
		told[port] = true
	}
	for _, s := range w.servers {
		if len(told) == 1 && strconv.Itoa(s.port) == port {
			return s, nil
		}
	}
	return nil, fmt.Errorf("%w: they do not agree: %v", errNotReady, told)
}
