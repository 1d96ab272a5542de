package table_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// large returns an item whose row has a little more than n bytes.
func large(id int64, n int) item { return item{ID: id, Name: strings.Repeat("x", n), At: float64(id)} }

// A way in which something between caller and server takes no request that is large.
type refusingLarge struct {
	limit   func(t *testing.T, s *redistest.Server, opts *redis.Options)
	refusal error // by a hook of the client
	cause   func(error) bool
}

const mostPerRequest = 1 << 20

func waysToRefuseWhatIsLarge() map[string]refusingLarge {
	return map[string]refusingLarge{
		"proto-max-bulk-len": {
			limit: func(t *testing.T, s *redistest.Server, _ *redis.Options) {
				ok(t, s.Client(t).ConfigSet(t.Context(), "proto-max-bulk-len", "1mb").Err())
			},
			cause: func(err error) bool {
				return errors.Is(err, table.ErrTooLarge) && strings.Contains(err.Error(), "bulk")
			},
		},
		"client-query-buffer-limit": {
			limit: func(t *testing.T, s *redistest.Server, _ *redis.Options) {
				ok(t, s.Client(t).ConfigSet(t.Context(), "client-query-buffer-limit", "1mb").Err())
			},
			cause: func(err error) bool {
				return errors.Is(err, table.ErrTooLarge) && strings.Contains(err.Error(), "client-query-buffer-limit")
			},
		},
		"a proxy that cuts": {
			limit: func(_ *testing.T, _ *redistest.Server, o *redis.Options) {
				o.Dialer = cappedDialer(o, func(c net.Conn) error { c.Close(); return syscall.ECONNRESET })
			},
			cause: func(err error) bool { return errors.Is(err, syscall.ECONNRESET) },
		},
		"a proxy that swallows": {
			limit: func(_ *testing.T, _ *redistest.Server, o *redis.Options) {
				o.ReadTimeout = 200 * time.Millisecond
				o.Dialer = cappedDialer(o, func(net.Conn) error { return nil })
			},
			cause: func(err error) bool {
				var timeout net.Error
				return errors.As(err, &timeout) && timeout.Timeout()
			},
		},
		"a hook that says no": {
			limit:   func(*testing.T, *redistest.Server, *redis.Options) {},
			refusal: errByHook,
			cause:   func(err error) bool { return errors.Is(err, errByHook) },
		},
		"a proxy that says busy for ever": {
			limit:   func(*testing.T, *redistest.Server, *redis.Options) {},
			refusal: busy{},
			cause:   func(err error) bool { return redis.HasErrorPrefix(err, "BUSY") },
		},
	}
}

var errByHook = errors.New("requests so large are not welcome")

// capped is a connection on which a request may not be larger than a limit.
type capped struct {
	net.Conn
	written atomic.Int64 // since the last answer was read
	over    func(net.Conn) error
}

func (c *capped) Write(p []byte) (int, error) {
	if c.written.Add(int64(len(p))) > mostPerRequest {
		return len(p), c.over(c.Conn)
	}
	return c.Conn.Write(p)
}

func (c *capped) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.written.Store(0)
	}
	return n, err
}

func cappedDialer(o *redis.Options, over func(net.Conn) error) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		var d net.Dialer
		c, err := d.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &capped{Conn: c, over: over}, nil
	}
}

// bouncer refuses commands with large arguments.
type bouncer struct {
	counter
	refusal error
}

func (b *bouncer) tooLarge(cmds ...redis.Cmder) bool {
	return slices.ContainsFunc(cmds, func(cmd redis.Cmder) bool {
		return slices.ContainsFunc(cmd.Args(), func(arg any) bool {
			bytes, is := arg.(*engine.Bytes)
			return is && len(*bytes) > mostPerRequest
		})
	})
}

func (b *bouncer) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if b.tooLarge(cmd) {
			cmd.SetErr(b.refusal)
			return cmd.Err()
		}
		return next(ctx, cmd)
	}
}

func (b *bouncer) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if !b.tooLarge(cmds...) {
			return next(ctx, cmds)
		}
		for _, cmd := range cmds {
			cmd.SetErr(b.refusal)
		}
		return cmds[0].Err()
	}
}

// Something takes no large request. Whoever puts such a record is told why, though its context has no end; everybody else goes
// on, those too whose records travel with it; Clear, abort and merge pass; nothing is applied twice or half.
func TestP2_AWriteThatIsNeverTakenBlocksNobody(t *testing.T) {
	t.Parallel()
	for what, way := range waysToRefuseWhatIsLarge() {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s, name := redistest.Start(t, redistest.Options{}), redistest.Prefix(t)
			client := s.TCPClient(t, func(o *redis.Options) { way.limit(t, s, o) })
			var rdb redis.UniversalClient = client
			if way.refusal != nil {
				client.AddHook(&bouncer{refusal: way.refusal})
				rdb = struct{ redis.UniversalClient }{client} // no transactions: the hook sees every write
			}
			core, logs := observer.New(zapcore.InfoLevel)
			tbl := openAs(t, rdb, s.Client(t), itemDefinition(name), []string{"at", "rank"}, table.WithTries(3), table.WithLogger(zap.New(core)))
			put(t, tbl, numbered(0, 10)...)
			guilty := async(t, func() error { return tbl.Put(t.Context(), numbered(10, 11)[0], large(99, 2<<20)) })
			var others []<-chan error
			for i := 20; i < 40; i++ {
				others = append(others, async(t, func() error { return tbl.Put(t.Context(), numbered(i, i+1)...) }))
			}
			for _, o := range others {
				ok(t, receive(t, "another put", o))
			}
			err := receive(t, "the guilty put", guilty)
			if !way.cause(err) || errors.Is(err, table.ErrUnknownOutcome) {
				t.Fatalf("got %v (%T), want the cause", err, err)
			}
			if strings.Count(err.Error(), "tablecache:") > 1 || strings.Count(err.Error(), name) != 1 {
				t.Errorf("said more than once: %v", err)
			}
			if _, err := tbl.Get(t.Context(), 10); !errors.Is(err, table.ErrNotFound) {
				t.Errorf("half of the write is there: %v", err)
			}
			guilty = async(t, func() error { return tbl.ScratchPut(t.Context(), large(98, 2<<20)) })
			ok(t, tbl.ScratchPut(t.Context(), numbered(50, 51)...))
			ok(t, tbl.ScratchAbort(t.Context()))
			ok(t, tbl.ScratchPut(t.Context(), numbered(51, 52)...))
			ok(t, tbl.ScratchMerge(t.Context()))
			if err := receive(t, "the guilty stage", guilty); !way.cause(err) {
				t.Errorf("stage: got %v, want the cause", err)
			}
			ok(t, tbl.WaitClear(t.Context()))
			wantIDs(t, tbl, tbl.Range("at", 195, 1000), 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 51)
			guilty = async(t, func() error { return tbl.Put(t.Context(), large(97, 2<<20)) })
			ok(t, tbl.Clear(t.Context()))
			if err := receive(t, "the guilty put", guilty); !way.cause(err) {
				t.Errorf("put: got %v, want the cause", err)
			}
			wantIDs(t, tbl, tbl.All("at"))
			wantGivenUp(t, logs, err)
		})
	}
}

// wantGivenUp checks that the log names kind, size and the last word, unless the server has refused the write in so many words.
func wantGivenUp(t *testing.T, logs *observer.ObservedLogs, err error) {
	t.Helper()
	if !errors.As(err, new(*table.GivenUpError)) {
		return
	}
	entries := logs.FilterMessage("an effect is given up").All()
	if len(entries) == 0 {
		t.Error("the log says nothing of what was given up")
	}
	for _, e := range entries {
		fields := e.ContextMap()
		if bytes, _ := fields["bytes"].(int64); bytes < 2<<20 || fields["kind"] != "put" && fields["kind"] != "stage" || fields["error"] == "" {
			t.Errorf("the log says %v", fields)
		}
		for _, v := range fields {
			if text, is := v.(string); is && strings.Contains(text, "xxxx") {
				t.Errorf("the log tells of a row: %.100s", text)
			}
		}
	}
}

// busy is what a proxy may say without end.
type busy struct{}

func (busy) Error() string { return "BUSY the proxy is busy" }
func (busy) RedisError()   {}

var _ redis.Error = busy{}

// While Redis is away no write is given up: it waits, and is there when Redis comes back.
func TestP2_WhileRedisIsAwayAWriteWaits(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{Args: []string{"--appendonly", "yes", "--appendfsync", "always"}})
	rdb := s.TCPClient(t, func(o *redis.Options) { o.DialerRetries, o.DialerRetryTimeout = 1, time.Millisecond })
	tbl := openOn(t, rdb, redistest.Prefix(t))
	put(t, tbl, numbered(0, 3)...)
	s.Kill(t)
	waiting := []<-chan error{async(t, func() error { return tbl.Put(t.Context(), numbered(3, 4)...) }),
		async(t, func() error { return tbl.Put(t.Context(), numbered(4, 5)...) })}
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	err := tbl.Put(ctx, numbered(9, 10)...)
	var w *table.WaitError
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, syscall.ECONNREFUSED) || !errors.As(err, &w) || w.For != table.WaitRedis {
		t.Errorf("got %v, want the deadline and why it was waiting", err)
	}
	s.Restart(t)
	for _, w := range waiting {
		ok(t, receive(t, "a put", w))
	}
}
