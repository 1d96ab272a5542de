package table_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// readTimeout is that of the clients here, and slack what a busy machine may add to two of them.
const (
	readTimeout = 300 * time.Millisecond
	slack       = 1000 * time.Millisecond
)

var waysToHang = map[string]hang{"SYNs dropped": unheard, "a dialer that never ends": deaf}

// closesInTime closes a table and checks how long that took.
func closesInTime(t testing.TB, tbl *items) {
	t.Helper()
	begin := time.Now()
	ok(t, tbl.Close())
	if took := time.Since(begin); took > 2*readTimeout+slack {
		t.Errorf("Close took %v, want two read time-outs of %v at most", took, readTimeout)
	}
}

// routes are ways for a client to go, by network.
func routes(s, cluster *redistest.Server, sentinel string) map[string]func(*testing.T, *network) redis.UniversalClient {
	return map[string]func(*testing.T, *network) redis.UniversalClient{
		"one server": func(t *testing.T, n *network) redis.UniversalClient {
			return s.TCPClient(t, func(o *redis.Options) { o.ReadTimeout = readTimeout; n.options(o) })
		},
		"sentinels": func(t *testing.T, n *network) redis.UniversalClient {
			return closing(t, redis.NewFailoverClient(&redis.FailoverOptions{
				MasterName: "m", SentinelAddrs: []string{sentinel}, Dialer: n.Dial, ReadTimeout: readTimeout}))
		},
		"a cluster": func(t *testing.T, n *network) redis.UniversalClient {
			return closing(t, redis.NewClusterClient(&redis.ClusterOptions{
				Addrs: []string{cluster.Addr()}, Dialer: n.Dial, ReadTimeout: readTimeout}))
		},
	}
}

// Whatever verb was under way when the network went, and however it went, Close ends in time.
func TestP5_CloseEndsWhateverDialsDo(t *testing.T) {
	t.Parallel()
	s, cluster := redistest.Start(t, redistest.Options{}), redistest.StartCluster(t)
	for route, client := range routes(s, cluster, fakeSentinel(t, s.Addr())) {
		for how, h := range waysToHang {
			for verb := range everyCall(new(items)) {
				t.Run(route+", "+how+", "+verb, func(t *testing.T) {
					t.Parallel()
					n := newNetwork()
					tbl, err := table.Open(t.Context(), client(t, n), itemDefinition("{"+redistest.Prefix(t)+"}"))
					ok(t, err)
					put(t, tbl, numbered(0, 10)...)
					if verb != "Put" && verb != "Delete" {
						ok(t, tbl.ScratchPut(t.Context(), numbered(5, 15)...))
					}
					n.hang(t, h)
					n.cut()
					ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
					defer cancel()
					_ = everyCall(tbl)[verb](ctx)
					endless := async(t, func() error { return everyCall(tbl)[verb](t.Context()) })
					closesInTime(t, tbl)
					_ = receive(t, "the call without a deadline", endless)
				})
			}
		}
	}
}

// Not parallel: it looks at all goroutines of the process. Nothing is abandoned, so that nothing is left behind, whether a read, an
// effect or the settling of one hangs in a dial.
func TestP5_CloseLeavesNoGoroutineBehindDialsThatHang(t *testing.T) {
	for how, h := range waysToHang {
		for _, before := range [][]item{numbered(0, 10), nil} { // without, the first effect has to dial
			n := newNetwork()
			rdb := redistest.Shared(t).TCPClient(t, func(o *redis.Options) { o.ReadTimeout = readTimeout; n.options(o) })
			core, logs := observer.New(zap.WarnLevel)
			tbl, err := table.Open(t.Context(), rdb, itemDefinition(redistest.Prefix(t)), table.WithLogger(zap.New(core)))
			ok(t, err)
			put(t, tbl, before...)
			n.hang(t, h)
			n.cut()
			dials := n.dials.Load()
			waits := async(t, func() error { return tbl.Put(t.Context(), numbered(0, 1)...) })
			until(t, "the put to dial", func() bool { return n.dials.Load() > dials })
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
			_, _ = tbl.Get(ctx, 1)
			cancel()
			closesInTime(t, tbl)
			if err := receive(t, "the put", waits); !errors.Is(err, table.ErrClosed) {
				t.Errorf("%s: got %v, want ErrClosed", how, err)
			}
			wantNoGoroutines(t)
			if abandoned := logs.FilterMessageSnippet("does not end"); abandoned.Len() != 0 {
				t.Errorf("%s: the log says %v", how, abandoned.All())
			}
		}
	}
}

func TestP5_CloseEndsWhileTheServerHangs(t *testing.T) {
	t.Parallel()
	for verb := range everyCall(new(items)) {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			n := newNetwork()
			rdb := redistest.Shared(t).TCPClient(t, func(o *redis.Options) { o.ReadTimeout = readTimeout; n.options(o) })
			tbl, err := table.Open(t.Context(), rdb, itemDefinition(redistest.Prefix(t)))
			ok(t, err)
			put(t, tbl, numbered(0, 10)...)
			n.hang(t, unheard)
			n.swallow()
			endless := async(t, func() error { return everyCall(tbl)[verb](t.Context()) })
			closesInTime(t, tbl)
			_ = receive(t, "the call", endless)
		})
	}
}

func TestP5_CloseEndsAfterItsClientIsClosed(t *testing.T) {
	t.Parallel()
	for verb := range everyCall(new(items)) {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			rdb := redistest.Shared(t).TCPClient(t, func(o *redis.Options) { o.ReadTimeout = readTimeout })
			tbl, err := table.Open(t.Context(), rdb, itemDefinition(redistest.Prefix(t)))
			ok(t, err)
			put(t, tbl, numbered(0, 10)...)
			ok(t, rdb.Close())
			endless := async(t, func() error { return everyCall(tbl)[verb](t.Context()) })
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
			defer cancel()
			_ = everyCall(tbl)[verb](ctx)
			closesInTime(t, tbl)
			_ = receive(t, "the call", endless)
		})
	}
}

// stuck is a hook that holds every command up until the test ends, once it is told to.
type stuck struct {
	counter
	on   chan struct{} // closed from when on it holds up
	held chan struct{} // has one for each command that is held up
	end  chan struct{}
}

func (s *stuck) wait() {
	select {
	case <-s.on:
		s.held <- struct{}{}
		<-s.end
	default:
	}
}

func (s *stuck) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		s.wait()
		return next(ctx, cmd)
	}
}

func (s *stuck) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		s.wait()
		return next(ctx, cmds)
	}
}

// What hangs and does not care for its context is left to itself: the log says so, and its callers hear that the outcome is
// unknown.
func TestP5_CloseAbandonsACallThatNeverEnds(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"Put", "DeleteKeys", "ScratchPut", "ScratchMerge", "Clear", "Get"} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			rdb := redistest.Shared(t).TCPClient(t, func(o *redis.Options) { o.ReadTimeout = readTimeout })
			hook := &stuck{on: make(chan struct{}), held: make(chan struct{}, 100), end: make(chan struct{})}
			t.Cleanup(func() { close(hook.end) })
			rdb.AddHook(hook)
			core, logs := observer.New(zap.WarnLevel)
			tbl, err := table.Open(t.Context(), rdb, itemDefinition(redistest.Prefix(t)), table.WithLogger(zap.New(core)))
			ok(t, err)
			put(t, tbl, numbered(0, 10)...)
			if verb == "ScratchMerge" {
				ok(t, tbl.ScratchPut(t.Context(), numbered(0, 5)...))
			}
			close(hook.on)
			write := async(t, func() error { return everyCall(tbl)[verb](t.Context()) })
			<-hook.held
			waiting := async(t, func() error { return tbl.Put(t.Context(), numbered(20, 21)...) })
			closesInTime(t, tbl)
			if err := receive(t, "the call", write); !errors.Is(err, table.ErrClosed) {
				t.Errorf("got %v, want ErrClosed", err)
			}
			if err := receive(t, "the put behind it", waiting); !errors.Is(err, table.ErrClosed) {
				t.Errorf("the put behind it: got %v, want ErrClosed", err)
			}
			if logs.FilterMessageSnippet("does not end").Len() != 1 {
				t.Errorf("the log says %v", logs.All())
			}
			ok(t, tbl.Close())
		})
	}
}
