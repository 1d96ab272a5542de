package stress

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// fault is something bad that happens to a cell. begin returns how to end it.
type fault struct {
	name  string
	begin func(c *cell) (end func() error, err error)
}

var faults = []fault{
	toxic("latency of replies", "latency", "downstream", `"latency":12,"jitter":8`),
	toxic("latency of commands", "latency", "upstream", `"latency":12,"jitter":8`),
	toxic("narrow way for replies", "bandwidth", "downstream", `"rate":20`),
	toxic("narrow way for commands", "bandwidth", "upstream", `"rate":20`),
	toxic("replies in slices", "slicer", "downstream", `"average_size":7,"size_variation":3,"delay":50`),
	toxic("commands in slices", "slicer", "upstream", `"average_size":7,"size_variation":3,"delay":50`),
	toxic("black hole for replies", "timeout", "downstream", `"timeout":0`),
	toxic("black hole for commands", "timeout", "upstream", `"timeout":0`),
	toxic("replies end after 3 ms", "timeout", "downstream", `"timeout":3`),
	toxic("commands end after 3 ms", "timeout", "upstream", `"timeout":3`),
	toxic("replies cut at byte 40", "limit_data", "downstream", `"bytes":40`),
	toxic("replies cut at byte 1000", "limit_data", "downstream", `"bytes":1000`),
	toxic("commands cut at byte 100", "limit_data", "upstream", `"bytes":100`),
	toxic("commands cut at byte 3000", "limit_data", "upstream", `"bytes":3000`),
	toxic("reset at once", "reset_peer", "downstream", `"timeout":0`),
	toxic("reset after 2 ms", "reset_peer", "upstream", `"timeout":2`),
	toxic("slow close", "slow_close", "downstream", `"delay":20`),
	{"nobody listens", func(c *cell) (func() error, error) {
		c.proxy.Stop()
		return c.proxy.Start, nil
	}},
	{"all connections cut", func(c *cell) (func() error, error) {
		c.proxy.Stop()
		return fine, c.proxy.Start()
	}},
	{"redis killed", func(c *cell) (func() error, error) {
		c.server.Kill(c.t)
		return func() error { c.server.Restart(c.t); return nil }, nil
	}},
	{"redis stopped", func(c *cell) (func() error, error) {
		pid := c.server.PID()
		return func() error { return syscall.Kill(pid, syscall.SIGCONT) }, syscall.Kill(pid, syscall.SIGSTOP)
	}},
	asked("all clients paused", "client unpause", "client pause 20 all"),
	asked("writers paused", "client unpause", "client pause 20 write"),
	asked("all clients killed", "", "client kill type normal skipme yes"),
	{"one client killed", (*cell).killOne},
	asked("scripts forgotten", "", "script flush"),
	asked("scripts forgotten, clients killed", "", "script flush", "client kill type normal skipme yes"),
	asked("server sleeps", "", "debug sleep 0.015"),
	{"endless script", (*cell).endless},
	asked("out of memory", "config set maxmemory 0", "config set maxmemory 1"),
	asked("no permission", "acl setuser default +@all", "acl setuser default -evalsha -exec -hset -eval"),
	asked("no more clients", "config set maxclients 1000", "config set maxclients 1", "client kill type normal skipme yes"),
	asked("a replica", "replicaof no one", "config set replica-serve-stale-data yes", "replicaof 127.0.0.1 1"),
	asked("a replica that answers nothing", "replicaof no one", "config set replica-serve-stale-data no", "replicaof 127.0.0.1 1"),
	asked("no replicas", "config set min-replicas-to-write 0", "config set min-replicas-to-write 2"), // there is one
	{"idle connections fall silent", (*cell).silence},
	{"requests have a bound", (*cell).capRequests},
	{"new connections lead to an old replica", (*cell).leadElsewhere},
	asked("a password", "config set requirepass ", "config set requirepass x", "client kill type normal skipme yes"),
	asked("append-only file rewritten", "", "bgrewriteaof"),
}

func fine() error { return nil }

// faultsNamed are some of the faults.
func faultsNamed(t testing.TB, names ...string) (some []fault) {
	t.Helper()
	for _, name := range names {
		i := slices.IndexFunc(faults, func(f fault) bool { return f.name == name })
		if i < 0 {
			t.Fatalf("there is no fault called %s", name)
		}
		some = append(some, faults[i])
	}
	return some
}

// toxic lets a toxic of the proxy work.
func toxic(name, kind, stream, attributes string) fault {
	json := fmt.Sprintf(`{"name":"x","type":%q,"stream":%q,"toxicity":1,"attributes":{%s}}`, kind, stream, attributes)
	return fault{name, func(c *cell) (func() error, error) {
		_, err := c.proxy.Toxics.AddToxicJson(strings.NewReader(json))
		return func() error { return c.proxy.Toxics.RemoveToxic(context.Background(), "x") }, err
	}}
}

// asked sends commands past the proxy to the server, and another one to end what they do.
func asked(name, end string, begin ...string) fault {
	return fault{name, func(c *cell) (func() error, error) {
		conn := c.admin.WithTimeout(c.admin.Options().ReadTimeout).Conn() // the one connection that is there, and is spared
		for _, command := range begin {
			if err := send(conn, command); err != nil {
				return nil, errors.Join(err, conn.Close())
			}
		}
		return func() error {
			defer conn.Close()
			if end == "" {
				return nil
			}
			return send(conn, end)
		}, nil
	}}
}

func send(conn *redis.Conn, command string) error {
	var args []any
	for _, word := range strings.Split(command, " ") {
		args = append(args, word)
	}
	err := conn.Do(context.Background(), args...).Err()
	if err != nil && strings.Contains(err.Error(), "already in progress") { // of the file that is being rewritten
		return nil
	}
	return err
}

func (c *cell) killOne() (func() error, error) {
	ctx := context.Background()
	list, err := c.admin.ClientList(ctx).Result()
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimSpace(list), "\n")
	var id string
	if _, err := fmt.Sscanf(lines[c.rand.IntN(len(lines))], "id=%s", &id); err != nil {
		return nil, err
	}
	return fine, c.admin.Do(ctx, "client", "kill", "id", id).Err()
}

// endless occupies the server until its script is killed. The script ends by itself after a while, should that fail.
func (c *cell) endless() (func() error, error) {
	ctx, done := context.Background(), make(chan error, 1)
	conn := c.admin.WithTimeout(c.admin.Options().ReadTimeout).Conn()
	go func() {
		done <- conn.Do(ctx, "eval", "local n = 0 while n < 1e9 do n = n + 1 end", 0).Err()
	}()
	return func() error {
		defer conn.Close()
		for {
			select {
			case <-done:
				return nil
			case <-time.After(time.Millisecond):
				_ = c.admin.Do(ctx, "script", "kill").Err() // it may not have begun, or be over
			}
		}
	}, nil
}
