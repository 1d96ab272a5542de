package table_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// loading starts a server again that takes its time to read its data back, and returns when it says so. The channel has
// something when it has read all.
func loading(t *testing.T, s *redistest.Server) <-chan error {
	t.Helper()
	s.Kill(t)
	ready := async(t, func() error { s.Restart(t); return nil })
	probe := redis.NewClient(&redis.Options{Network: "unix", Addr: s.Socket(), MaxRetries: -1})
	defer probe.Close()
	until(t, "the server to load", func() bool { return redis.IsLoadingError(probe.Ping(t.Context()).Err()) })
	return ready
}

func TestAServerThatIsLoading(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{Args: []string{"--appendonly", "yes", "--appendfsync", "always",
		"--key-load-delay", "100", "--aof-use-rdb-preamble", "no"}})
	admin, rdb, name := s.Client(t), s.Client(t), redistest.Prefix(t)
	tbl, sent := openOn(t, rdb, name), &counter{}
	put(t, tbl, numbered(0, 10)...)
	_, err := admin.Pipelined(t.Context(), func(p redis.Pipeliner) error {
		for i := range 9000 {
			p.Set(t.Context(), fmt.Sprint("other", i), i, 0)
		}
		return nil
	})
	ok(t, err)
	ready := loading(t, s)
	rdb.AddHook(sent)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := tbl.Get(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("get: got %v, want DeadlineExceeded", err)
	}
	if _, err := table.Open(ctx, rdb, itemDefinition(name+"new")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("open: got %v, want DeadlineExceeded", err)
	}
	calls := map[string]<-chan error{
		"get":  async(t, func() error { _, err := tbl.Get(t.Context(), 1); return err }),
		"put":  async(t, func() error { return tbl.Put(t.Context(), numbered(10, 12)...) }),
		"read": async(t, func() error { return lastError(tbl.Records(t.Context(), tbl.All("at"))) }),
		"open": async(t, func() error {
			other, err := table.Open(t.Context(), rdb, itemDefinition(name+"other"))
			if err == nil {
				err = other.Close()
			}
			return err
		}),
	}
	select {
	case <-ready:
		t.Error("the server had read its data before it was asked")
	default:
	}
	for what, call := range calls {
		if err := receive(t, what, call); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if n := sent.n.Load(); n > 400 {
		t.Errorf("%d commands were sent meanwhile", n)
	}
	receive(t, "the server", ready)
}

func TestG6_OpenEndsWithItsContextWhileRedisHangs(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	rdb := server.Client(t)
	ok(t, rdb.Ping(t.Context()).Err())
	thaw := frozen(t, server)
	defer thaw()
	var took []time.Duration
	for range 5 {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		_, err := table.Open(ctx, rdb, itemDefinition(redistest.Prefix(t)))
		deadline, _ := ctx.Deadline()
		took = append(took, time.Since(deadline))
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want DeadlineExceeded", err)
		}
	}
	quick(t, took)
}

// pest does something before every so many calls of a client.
type pest struct {
	n     atomic.Int64
	every int64
	do    func()
}

func (p *pest) count() {
	if p.n.Add(1)%p.every == 0 {
		p.do()
	}
}

func (p *pest) DialHook(next redis.DialHook) redis.DialHook { return next }

func (p *pest) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		p.count()
		return next(ctx, cmd)
	}
}

func (p *pest) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		p.count()
		return next(ctx, cmds)
	}
}

// Scripts are forgotten, and connections killed, at any moment: nobody notices, and nothing runs twice.
func TestG9_PesteredWrites(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		every   int64
		command []any
	}{
		{"SCRIPT FLUSH", 47, []any{"SCRIPT", "FLUSH"}}, // more than there are scripts
		{"CLIENT KILL", 13, []any{"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := redistest.Start(t, redistest.Options{})
			admin, rdb, name := s.Client(t), s.Client(t), redistest.Prefix(t)
			tbl := openLimited(t, admin, rdb, name)
			p := &pest{every: c.every, do: func() { ok(t, admin.Do(context.Background(), c.command...).Err()) }}
			rdb.AddHook(p)
			const rounds = 60
			for i := range rounds {
				put(t, tbl, numbered(i, i+3)...)
				n, err := tbl.DeleteKeys(t.Context(), int64(i))
				ok(t, err)
				ok(t, tbl.Apply(t.Context(), batch{Put: numbered(i+1, i+2), Delete: []int64{-1}, Note: []byte(fmt.Sprint(i))}))
				ok(t, tbl.Update(t.Context(), int64(i+1), func(i *item) error { i.Rank++; return nil }))
				ok(t, tbl.ScratchPut(t.Context(), numbered(i+2, i+3)...))
				ok(t, tbl.ScratchMerge(t.Context()))
				ok(t, tbl.WaitClear(t.Context()))
				if n != 1 {
					t.Errorf("round %d: deleted %d, want 1", i, n)
				}
			}
			if p.n.Load() < 10*c.every {
				t.Errorf("pestered only %d times", p.n.Load()/c.every)
			}
			truth := admin.HMGet(t.Context(), name+":m", "rver", "gen", "notes").Val()
			if got, want := fmt.Sprint(truth), fmt.Sprint([]any{4 * rounds, rounds, rounds}); got != want {
				t.Errorf("changed, merged and noted %s times, want %s", got, want)
			}
		})
	}
}

// forgetful makes the server forget its scripts right before it is to run one, so many times.
type forgetful struct {
	counter
	times int64
	flush func()
}

func (f *forgetful) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() == "evalsha" && f.n.Add(1) <= f.times {
			f.flush()
		}
		return next(ctx, cmd)
	}
}

// Scripts are forgotten again as soon as they have been told again.
func TestG9_ScriptsForgottenAgainAndAgain(t *testing.T) {
	t.Parallel()
	for what, m := range mutations() {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := redistest.Start(t, redistest.Options{})
			admin, rdb := s.Client(t), s.Client(t)
			tbl := openOn(t, rdb, redistest.Prefix(t))
			put(t, tbl, numbered(0, 10)...)
			if m.staged {
				stageSome(t, tbl)
			}
			rdb.AddHook(&forgetful{times: 5, flush: func() { ok(t, admin.ScriptFlush(context.Background()).Err()) }})
			ok(t, m.do(t.Context(), tbl))
			mergeAndFold(t, tbl)
			_, err := tbl.Count(t.Context(), tbl.All("at"))
			ok(t, err)
		})
	}
}

// While clients are paused calls end at their deadlines; afterwards all goes on.
func TestAPausedServer(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{})
	admin := s.Client(t)
	tbl := openOn(t, s.Client(t), redistest.Prefix(t))
	put(t, tbl, numbered(0, 10)...)
	ok(t, admin.Do(t.Context(), "CLIENT", "PAUSE", "400", "ALL").Err())
	var took []time.Duration
	for range 5 {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		deadline, _ := ctx.Deadline()
		err := tbl.Put(ctx, numbered(0, 1)...)
		took = append(took, time.Since(deadline))
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want DeadlineExceeded", err)
		}
	}
	quick(t, took)
	waiting := async(t, func() error { return tbl.Put(t.Context(), numbered(20, 21)...) })
	ok(t, receive(t, "the put", waiting))
	wantIDs(t, tbl, tbl.Range("at", 190, 300), 20)
}

// A client that has no connection left makes writes wait for one, until their context ends.
func TestAPoolThatHasNoConnectionLeft(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{})
	admin := s.Client(t)
	rdb := s.TCPClient(t, func(o *redis.Options) { o.PoolSize, o.PoolTimeout = 1, 20*time.Millisecond })
	tbl := openOn(t, rdb, redistest.Prefix(t))
	put(t, tbl, numbered(0, 3)...)
	taken := async(t, func() error { return rdb.BLPop(t.Context(), 0, "nothing").Err() })
	until(t, "the connection to be taken", func() bool { return rdb.PoolStats().IdleConns == 0 })
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := tbl.Put(ctx, numbered(3, 4)...); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("put: got %v, want DeadlineExceeded", err)
	}
	if _, err := tbl.Get(t.Context(), 1); !errors.Is(err, redis.ErrPoolTimeout) {
		t.Errorf("get: got %v, want a pool time-out", err)
	}
	waiting := async(t, func() error { return tbl.Put(t.Context(), numbered(4, 5)...) })
	ok(t, admin.LPush(t.Context(), "nothing", 1).Err())
	ok(t, receive(t, "the one who took it", taken))
	ok(t, receive(t, "the put", waiting))
	wantIDs(t, tbl, tbl.Range("at", 35, 50), 4)
}

// A server that takes no more connections makes writes wait for one; reads are told.
func TestAServerWithTooManyClients(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{})
	admin := s.Client(t)
	tbl := openOn(t, s.TCPClient(t, nil), redistest.Prefix(t))
	put(t, tbl, numbered(0, 3)...)
	ok(t, admin.ConfigSet(t.Context(), "maxclients", "1").Err())
	ok(t, admin.Do(t.Context(), "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes").Err())
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := tbl.Put(ctx, numbered(3, 4)...); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("put: got %v, want DeadlineExceeded", err)
	}
	if _, err := tbl.Get(ctx, 1); err == nil || errors.Is(err, table.ErrLost) {
		t.Errorf("get: got %v, want an error of the connection", err)
	}
	waiting := async(t, func() error { return tbl.Put(t.Context(), numbered(4, 5)...) })
	ok(t, admin.ConfigSet(t.Context(), "maxclients", "100").Err())
	ok(t, receive(t, "the put", waiting))
	wantIDs(t, tbl, tbl.Range("at", 0, 25), 0, 1, 2)
}
