package table_test

import (
	"context"
	"errors"
	"iter"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// breaker is a client's Limiter that lets nothing pass while it is open.
type breaker struct{ open atomic.Bool }

var errBreaker = errors.New("the circuit breaker is open")

func (b *breaker) Allow() error {
	if b.open.Load() {
		return errBreaker
	}
	return nil
}

func (b *breaker) ReportResult(error) {}

// wantWait checks what a caller whose context has ended is told.
func wantWait(t *testing.T, what string, err error, waitedFor table.WaitFor, cause error) {
	t.Helper()
	var w *table.WaitError
	if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &w) || w.For != waitedFor || w.Since.IsZero() || time.Since(w.Since) > time.Minute {
		t.Errorf("%s: got %v, want that it waited for %s", what, err, waitedFor)
		return
	}
	if cause != nil && !errors.Is(err, cause) {
		t.Errorf("%s: got %v, want the cause %v", what, err, cause)
	}
	if strings.Count(err.Error(), "tablecache:") != 1 {
		t.Errorf("%s: the library is named more than once: %v", what, err)
	}
}

// within calls f with a context that ends soon.
func within(t *testing.T, d time.Duration, f func(context.Context) error) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	return f(ctx)
}

// Behind a client's Limiter nothing is sent: that is told, with the Limiter's own error, and never as an unknown outcome.
func TestP9_ALimiterIsTheCause(t *testing.T) {
	t.Parallel()
	s, limiter := redistest.Start(t, redistest.Options{}), new(breaker)
	for path, wrap := range map[string]func(*redis.Client) redis.UniversalClient{
		"transactions": func(c *redis.Client) redis.UniversalClient { return c },
		"scripts":      func(c *redis.Client) redis.UniversalClient { return struct{ redis.UniversalClient }{c} },
	} {
		t.Run(path, func(t *testing.T) {
			limiter.open.Store(false)
			rdb := wrap(s.TCPClient(t, func(o *redis.Options) { o.Limiter = limiter }))
			tbl := openAs(t, rdb, s.Client(t), itemDefinition(redistest.Prefix(t)), []string{"at", "rank"})
			put(t, tbl, numbered(0, 3)...)
			limiter.open.Store(true)
			for what, m := range mutations() {
				if m.staged && what != "clear" || what == "discard" || what == "update" { // these read first
					continue
				}
				err := within(t, 100*time.Millisecond, func(ctx context.Context) error { return m.do(ctx, tbl) })
				wantWait(t, what, err, table.WaitRedis, errBreaker)
				if errors.Is(err, table.ErrUnknownOutcome) {
					t.Errorf("%s: got %v, want to know that nothing was sent", what, err)
				}
			}
			if _, err := tbl.Get(t.Context(), 1); !errors.Is(err, errBreaker) {
				t.Errorf("get: got %v, want the Limiter's error", err)
			}
			if _, err := table.Open(t.Context(), rdb, itemDefinition(redistest.Prefix(t))); !errors.Is(err, errBreaker) || errors.Is(err, table.ErrUnknownOutcome) {
				t.Errorf("open: got %v, want the Limiter's error", err)
			}
			waiting := async(t, func() error { return tbl.Put(t.Context(), numbered(4, 5)...) })
			limiter.open.Store(false)
			ok(t, receive(t, "the put", waiting))
			wantIDs(t, tbl, tbl.Range("at", 30, 100), 4)
		})
	}
}

// A server that cannot be dialled: writes that wait say why, reads too.
func TestP9_ADialThatFailsIsTheCause(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{Args: []string{"--appendonly", "yes", "--appendfsync", "always"}})
	rdb := s.TCPClient(t, func(o *redis.Options) { o.DialerRetries, o.DialerRetryTimeout = 1, time.Millisecond })
	tbl := openAs(t, rdb, s.Client(t), itemDefinition(redistest.Prefix(t)), []string{"at", "rank"})
	put(t, tbl, numbered(0, 3)...)
	s.Kill(t)
	_, err := tbl.Get(t.Context(), 1)
	if err == nil {
		t.Error("a read of a server that is gone")
	}
	err = within(t, 300*time.Millisecond, func(ctx context.Context) error { return tbl.Put(ctx, numbered(3, 4)...) })
	wantWait(t, "put", err, table.WaitRedis, syscall.ECONNREFUSED)
	err = within(t, time.Millisecond, func(ctx context.Context) error { _, err := tbl.Count(ctx, tbl.All("at")); return err })
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("count: got %v, want why it was waiting", err)
	}
	s.Restart(t)
}

// A dialler of the caller's own fails with an error of its own: nothing was sent.
func TestP9_ADiallerOfOnesOwn(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{})
	var broken atomic.Bool
	why := errors.New("the tunnel is down")
	rdb := s.TCPClient(t, func(o *redis.Options) {
		o.DialerRetries = 1
		o.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if broken.Load() {
				return nil, why
			}
			return new(net.Dialer).DialContext(ctx, network, addr)
		}
	})
	tbl := openAs(t, rdb, s.Client(t), itemDefinition(redistest.Prefix(t)), []string{"at", "rank"})
	broken.Store(true)
	ok(t, s.Client(t).Do(t.Context(), "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes").Err())
	err := within(t, 200*time.Millisecond, func(ctx context.Context) error { return tbl.Put(ctx, numbered(0, 1)...) })
	wantWait(t, "put", err, table.WaitRedis, why)
	broken.Store(false)
	put(t, tbl, numbered(1, 2)...)
}

// Writers that wait for the lock are told for whom, and since when.
func TestP9_WritersHearForWhomTheyWait(t *testing.T) {
	t.Parallel()
	s, brake := redistest.Shared(t), newBrake(t)
	tbl := openOn(t, s.Client(t), redistest.Prefix(t), table.WithCleanup(brake.pool), table.WithPageBytes(1))
	put(t, tbl, numbered(0, 300)...)
	putOne := func(ctx context.Context) error { return tbl.Put(ctx, numbered(0, 1)...) }

	next, stop := iter.Pull2(tbl.Records(t.Context(), tbl.All("at")))
	_, err, _ := next()
	ok(t, err)
	stop()

	ok(t, tbl.ScratchPut(t.Context(), numbered(0, 1)...))
	for what, call := range map[string]func(context.Context) error{
		"put": putOne, "wait": tbl.WaitClear,
		"delete": func(ctx context.Context) error { _, err := tbl.DeleteKeys(ctx, 1); return err },
		"sweep":  func(ctx context.Context) error { _, err := tbl.Delete(ctx, tbl.All("at")); return err },
		"apply":  func(ctx context.Context) error { return tbl.Apply(ctx, batch{Note: []byte{}}) },
		"update": func(ctx context.Context) error { return tbl.Update(ctx, 1, renamed("u")) },
	} {
		err := within(t, 30*time.Millisecond, call)
		wantWait(t, what, err, table.WaitScratch, nil)
		if errors.Is(err, table.ErrUnknownOutcome) || !strings.Contains(err.Error(), "waited for scratch, on since 20") {
			t.Errorf("%s: got %v", what, err)
		}
	}
	merge(t, tbl)
	for what, call := range map[string]func(context.Context) error{
		"put": putOne, "wait": tbl.WaitClear,
		"stage": func(ctx context.Context) error { return tbl.ScratchPut(ctx, numbered(0, 1)...) },
	} {
		wantWait(t, what, within(t, 30*time.Millisecond, call), table.WaitFold, nil)
	}
	brake.release()
	ok(t, tbl.WaitClear(t.Context()))
}

// A write that waits for a long read says so.
func TestP9_AWriteThatWaitsForALongRead(t *testing.T) {
	t.Parallel()
	tbl := openItems(t, table.WithPageBytes(1000), table.WithSnapshotMemory(1), table.WithSnapshotGrace(time.Minute))
	put(t, tbl, numbered(0, 1000)...)
	next, stop := iter.Pull2(tbl.Records(t.Context(), tbl.All("at")))
	defer stop()
	for range 100 {
		_, err, _ := next()
		ok(t, err)
	}
	err := within(t, 50*time.Millisecond, func(ctx context.Context) error { return tbl.Put(ctx, numbered(0, 1)...) })
	wantWait(t, "put", err, table.WaitReads, nil)
	if !strings.Contains(err.Error(), "waited for a long read") || errors.Is(err, table.ErrUnknownOutcome) {
		t.Errorf("got %v", err)
	}
}

// A server that loads its data, or hangs, is told by reads and by Open.
func TestP9_ReadsAndOpenHearWhyTheyWait(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{Args: []string{"--busy-reply-threshold", "1"}})
	admin, foreign := s.Client(t), s.TCPClient(t, func(o *redis.Options) { o.ReadTimeout = -1 })
	rdb := s.Client(t)
	tbl := openOn(t, rdb, redistest.Prefix(t))
	put(t, tbl, numbered(0, 3)...)
	endless := async(t, func() error { foreign.Eval(context.Background(), "while true do end", nil); return nil })
	until(t, "the script to run", func() bool { return redis.HasErrorPrefix(admin.Ping(t.Context()).Err(), "BUSY") })
	for what, call := range map[string]func(context.Context) error{
		"get": func(ctx context.Context) error { _, err := tbl.Get(ctx, 1); return err },
		"put": func(ctx context.Context) error { return tbl.Put(ctx, numbered(0, 1)...) },
		"open": func(ctx context.Context) error {
			_, err := table.Open(ctx, rdb, itemDefinition(redistest.Prefix(t)))
			return err
		},
	} {
		err := within(t, 300*time.Millisecond, call)
		wantWait(t, what, err, table.WaitRedis, nil)
		if !redis.HasErrorPrefix(err, "BUSY") {
			t.Errorf("%s: got %v, want what the server says", what, err)
		}
	}
	ok(t, admin.ScriptKill(t.Context()).Err())
	ok(t, receive(t, "the script", endless))
	thaw := frozen(t, s)
	err := within(t, 50*time.Millisecond, func(ctx context.Context) error { _, err := tbl.Get(ctx, 1); return err })
	wantWait(t, "get", err, table.WaitRedis, nil)
	thaw()
}
