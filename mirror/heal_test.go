package mirror_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/mirror"
	"github.com/tablecache-go/tablecache/table"
)

// tellsCopy checks that a loop over changes adds up to records, without ever having been told anew.
func tellsCopy(t testing.TB, l *ledger, m *mirrors) {
	t.Helper()
	until(t, "changes to add up", func() bool { return l.equals(m) })
}

// TestM3_AMirrorGoesOnOverFlushAll: another table appears under the same counter of owners and goes on to higher numbers.
func TestM3_AMirrorGoesOnOverFlushAll(t *testing.T) {
	t.Parallel()
	s, name := redistest.Start(t, redistest.Options{}), redistest.Prefix(t)
	rdb := s.Client(t)
	first := openOn(t, rdb, name)
	put(t, first, numbered(0, 20)...)
	m := mirrorOn(t, rdb, name, mirror.WithMaxAge(300*time.Millisecond))
	l := keep(t, m, m.All("at"), 0)
	tellsCopy(t, l, m)
	old := first.Position()
	ok(t, rdb.FlushAll(t.Context()).Err())
	kept := m.Snapshot()
	until(t, "the age to grow", func() bool { _, err := m.Count(t.Context(), m.All("at")); return errors.Is(err, table.ErrStale) })
	wantItems(t, "the old moment", all(t, kept.Records(t.Context(), kept.All("at"))), numbered(0, 20))

	second := openOn(t, rdb, name)
	put(t, second, numbered(15, 20)...)
	for range 5 {
		put(t, second, numbered(20, 30)...)
	}
	catchUp(t, m, second)
	until(t, "a proof", func() bool { return m.Age() < 300*time.Millisecond })
	wantItems(t, "the new table", all(t, m.Records(t.Context(), m.All("at"))), numbered(15, 30))
	tellsCopy(t, l, m)
	if err := m.WaitFor(t.Context(), old); !errors.Is(err, table.ErrLost) {
		t.Errorf("a position of the table that was lost: got %v", err)
	}
	if st := m.Stats(); st.Resyncs == 0 {
		t.Errorf("got %+v", st)
	}
}

// TestM3_AgeIsHonestWhileRedisIsStopped, reads go on meanwhile, and WithMaxAge ends them.
func TestM3_AgeIsHonestWhileRedisIsStopped(t *testing.T) {
	t.Parallel()
	s, name := redistest.Start(t, redistest.Options{}), redistest.Prefix(t)
	rdb := s.TCPClient(t, func(o *redis.Options) { o.ReadTimeout = 300 * time.Millisecond })
	tbl := openOn(t, s.Client(t), name)
	put(t, tbl, numbered(0, 5)...)
	patient, strict := mirrorOn(t, rdb, name), mirrorOn(t, rdb, name, mirror.WithMaxAge(400*time.Millisecond))
	ok(t, syscall.Kill(s.PID(), syscall.SIGSTOP))
	stopped := time.Now()
	until(t, "ErrStale", func() bool {
		age, since := patient.Age(), time.Since(stopped)
		if age < since-50*time.Millisecond && since > 100*time.Millisecond { // what was proven before the stop is older than that
			t.Errorf("%v old, %v after the stop", age, since)
			return true
		}
		_, err := strict.Get(t.Context(), 1)
		return errors.Is(err, table.ErrStale)
	})
	for what, err := range staleReads(t.Context(), strict) {
		if !errors.Is(err, table.ErrStale) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	wantItems(t, "without WithMaxAge", all(t, patient.Records(t.Context(), patient.All("at"))), numbered(0, 5))
	snapshot := strict.Snapshot()
	wantItems(t, "a snapshot", all(t, snapshot.Records(t.Context(), snapshot.All("at"))), numbered(0, 5))
	ok(t, syscall.Kill(s.PID(), syscall.SIGCONT))
	put(t, tbl, numbered(5, 7)...)
	catchUp(t, strict, tbl)
	until(t, "reads to go on", func() bool { _, err := strict.Get(t.Context(), 6); return err == nil })
}

func staleReads(ctx context.Context, h handle) map[string]error {
	_, counted := h.Count(ctx, h.All("at"))
	_, first := h.First(ctx, h.All("at"))
	_, _, page := h.Page(ctx, h.All("at"), "", 1)
	_, looked := table.Collect(h.Lookup(ctx, 1, 2))
	_, read := table.Collect(h.Records(ctx, h.All("at")))
	return map[string]error{"count": counted, "first": first, "page": page, "look-up": looked, "records": read}
}

// TestM3_AMirrorGoesOnOverAKilledRedis that has lost the latest: it shows what is left, as a difference.
func TestM3_AMirrorGoesOnOverAKilledRedis(t *testing.T) {
	t.Parallel()
	s, name := redistest.Start(t, redistest.Options{Args: []string{"--save", ""}}), redistest.Prefix(t)
	rdb := s.TCPClient(t, func(o *redis.Options) { o.DialTimeout, o.ReadTimeout = 100*time.Millisecond, 300*time.Millisecond })
	tbl := openOn(t, s.Client(t), name)
	put(t, tbl, numbered(0, 10)...)
	ok(t, s.Client(t).Save(t.Context()).Err())
	put(t, tbl, numbered(10, 20)...)
	m := mirrorOn(t, rdb, name)
	l := keep(t, m, m.Range("at", 50, 150), 0)
	tellsCopy(t, l, m)
	lost := tbl.Position()
	s.Kill(t)
	wantItems(t, "while Redis is away", all(t, m.Records(t.Context(), m.All("at"))), numbered(0, 20))
	s.Restart(t)
	again := openOn(t, s.Client(t), name)
	put(t, again, numbered(30, 31)...)
	catchUp(t, m, again)
	wantItems(t, "what is left", all(t, m.Records(t.Context(), m.All("at"))), append(numbered(0, 10), numbered(30, 31)...))
	tellsCopy(t, l, m)
	if err := m.WaitFor(t.Context(), lost); !errors.Is(err, table.ErrLost) {
		t.Errorf("what was lost: got %v", err)
	}
}

// TestM3_AFailOverToALaggingReplica, on which another owner gets the same counter.
func TestM3_AFailOverToALaggingReplica(t *testing.T) {
	t.Parallel()
	one, other, name := redistest.Start(t, redistest.Options{Args: []string{"--repl-diskless-sync-delay", "0"}}), redistest.Start(t, redistest.Options{}), redistest.Prefix(t)
	admin := other.Client(t)
	first := openOn(t, one.Client(t), name)
	put(t, first, numbered(0, 10)...)
	host, port, err := net.SplitHostPort(one.Addr())
	ok(t, err)
	ok(t, admin.Do(t.Context(), "replicaof", host, port).Err())
	until(t, "the replica", func() bool {
		return admin.HGet(t.Context(), name+":m", "seq").Val() == one.Client(t).HGet(t.Context(), name+":m", "seq").Val()
	})
	ok(t, admin.Do(t.Context(), "replicaof", "127.0.0.1", "1").Err())
	second := openOn(t, one.Client(t), name) // the replica does not hear of it
	put(t, second, numbered(10, 15)...)
	lead := &lead{to: one.Addr()}
	rdb := one.TCPClient(t, func(o *redis.Options) {
		o.Dialer, o.ReadTimeout = lead.dial, 300*time.Millisecond
	})
	m := mirrorOn(t, rdb, name)
	l := keep(t, m, m.All("rank").Reversed().Max(7), 0)
	tellsCopy(t, l, m)
	ok(t, admin.Do(t.Context(), "replicaof", "no", "one").Err())
	third := openOn(t, admin, name)
	for range 4 {
		put(t, third, numbered(20, 22)...)
	}
	lead.change(other.Addr())
	catchUp(t, m, third)
	wantItems(t, "what the replica has", all(t, m.Records(t.Context(), m.All("at"))), append(numbered(0, 10), numbered(20, 22)...))
	tellsCopy(t, l, m)
	if err := m.WaitFor(t.Context(), second.Position()); !errors.Is(err, table.ErrLost) {
		t.Errorf("what the replica has not: got %v", err)
	}
}

// lead leads a client's connections to a server, and closes them when that changes.
type lead struct {
	mu    sync.Mutex // guards what follows
	to    string
	conns []io.Closer
}

func (l *lead) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", l.to)
	if err == nil {
		l.conns = append(l.conns, c)
	}
	return c, err
}

func (l *lead) change(to string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.to = to
	for _, c := range l.conns {
		_ = c.Close() // some are closed already
	}
	l.conns = nil
}

// TestM3_ErrorsThatWaitingCannotCureDoNotEndAMirror: a deploy brings another schema, an owner without a feed; then all is as before.
func TestM3_ErrorsThatWaitingCannotCureDoNotEndAMirror(t *testing.T) {
	t.Parallel()
	for what, other := range map[string]func(t testing.TB, rdb redis.UniversalClient, name string){
		"another schema": func(t testing.TB, rdb redis.UniversalClient, name string) {
			def := definition(name)
			def.Attributes[0] = table.Field("id", codec.IntAsString, func(i *item) *int64 { return &i.ID })
			tbl, err := table.Open(t.Context(), rdb, def, table.WithReset())
			ok(t, err)
			ok(t, tbl.Close())
		},
		"no feed": func(t testing.TB, rdb redis.UniversalClient, name string) {
			ok(t, openOn(t, rdb, name, table.WithFeed(0)).Close())
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
			tbl := openOn(t, rdb, name)
			put(t, tbl, numbered(0, 5)...)
			m := mirrorOn(t, rdb, name, mirror.WithMaxAge(200*time.Millisecond))
			other(t, rdb, name)
			until(t, "ErrStale", func() bool { _, err := m.Get(t.Context(), 1); return errors.Is(err, table.ErrStale) })
			kept := m.Snapshot()
			wantItems(t, "what it has", all(t, kept.Records(t.Context(), kept.All("at"))), numbered(0, 5))
			again := openOn(t, rdb, name, table.WithReset())
			put(t, again, numbered(7, 9)...)
			catchUp(t, m, again)
			until(t, "a proof", func() bool { _, err := m.Get(t.Context(), 8); return err == nil })
		})
	}
}

// TestM3_RowsThatCannotBeDecoded are told in their place, by all reads, and end nothing.
func TestM3_RowsThatCannotBeDecoded(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl := openOn(t, rdb, name)
	put(t, tbl, numbered(0, 1)...)
	damage(t, rdb, name)
	put(t, tbl, numbered(1, 4)...)
	m := mirrorOn(t, rdb, name)
	var coding *table.CodingError
	if _, err := m.Get(t.Context(), 0); !errors.As(err, &coding) {
		t.Errorf("get: %v", err)
	}
	n, bad := 0, 0
	for _, err := range m.Records(t.Context(), m.All("at")) {
		if n++; errors.As(err, &coding) {
			bad++
		}
	}
	if n != 4 || bad != 1 {
		t.Errorf("%d yielded, %d of them bad", n, bad)
	}
	next, stop := nextChange(m.Changes(t.Context(), m.Range("at", 0, 5)))
	defer stop()
	if _, err := next(t); !errors.As(err, &coding) {
		t.Errorf("changes: %v", err)
	}
	if c, err := next(t); err != nil || c.Kind != mirror.Caught {
		t.Errorf("got %v, %v", c, err)
	}
	put(t, tbl, numbered(0, 1)...)
	if c, err := next(t); err != nil || c.Kind != mirror.Enter || fmt.Sprint(*c.After) != fmt.Sprint(numbered(0, 1)[0]) {
		t.Errorf("got %v, %v", c, err)
	}
}
