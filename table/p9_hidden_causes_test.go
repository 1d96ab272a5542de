package table_test

import (
	"context"
	"errors"
	"iter"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// A long read that waits for its next page says so.
func TestP9_ALongReadHearsWhyItWaits(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{})
	tbl := openOn(t, s.Client(t), redistest.Prefix(t), table.WithPageBytes(500))
	put(t, tbl, numbered(0, 1000)...)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	next, stop := iter.Pull2(tbl.Records(ctx, tbl.All("at")))
	defer stop()
	_, err, more := next()
	ok(t, err)
	defer frozen(t, s)()
	var last error
	for more {
		last = err
		_, err, more = next()
	}
	wantWait(t, "read", last, table.WaitRedis, nil)
}

// Whoever waits for a fold hears why it does not end: at once if it is refused for good, else when the context ends. It goes on once that
// is cured.
func TestP9_AFoldThatFailsIsTheCause(t *testing.T) {
	t.Parallel()
	waiting := map[string]func(context.Context, *items) error{
		"put":   func(ctx context.Context, tbl *items) error { return tbl.Put(ctx, numbered(0, 1)...) },
		"stage": func(ctx context.Context, tbl *items) error { return tbl.ScratchPut(ctx, numbered(0, 1)...) },
		"wait":  func(ctx context.Context, tbl *items) error { return tbl.WaitClear(ctx) },
		"sweep": func(ctx context.Context, tbl *items) error { _, err := tbl.Delete(ctx, tbl.All("at")); return err },
	}
	for what, c := range map[string]struct {
		spoil, cure func(t *testing.T, admin *redis.Client, name string)
		is          func(error) bool
		patience    time.Duration
	}{
		"forbidden": {
			func(t *testing.T, admin *redis.Client, name string) { setUser(t, admin, name, "-hdel") },
			func(t *testing.T, admin *redis.Client, name string) { setUser(t, admin, name, "+hdel") },
			func(err error) bool { return wire.IsForbidden(err) && !errors.Is(err, context.DeadlineExceeded) }, patience,
		},
		"refused": {
			func(t *testing.T, admin *redis.Client, _ string) { config("min-replicas-to-write", "1")(t, admin) },
			func(t *testing.T, admin *redis.Client, _ string) { config("min-replicas-to-write", "0")(t, admin) },
			func(err error) bool { return redis.HasErrorPrefix(err, "NOREPLICAS") && waitedFor(err, table.WaitFold) }, 200 * time.Millisecond,
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s, name, brake := redistest.Start(t, redistest.Options{}), redistest.Prefix(t), newBrake(t)
			admin := s.Client(t)
			tbl := openLimited(t, admin, limited(t, s, name, aclRule(t, name)), name, table.WithCleanup(brake.pool))
			put(t, tbl, numbered(0, 10)...)
			stageSome(t, tbl)
			merge(t, tbl)
			c.spoil(t, admin, name)
			brake.release()
			until(t, "the fold to fail", func() bool { st, _ := tbl.Stats(t.Context()); return st.FoldFailures > 1 })
			for call, f := range waiting {
				if err := within(t, c.patience, func(ctx context.Context) error { return f(ctx, tbl) }); !c.is(err) {
					t.Errorf("%s: got %v, want why the fold fails", call, err)
				}
			}
			c.cure(t, admin, name)
			until(t, "the fold to end", func() bool { return tbl.WaitClear(t.Context()) == nil })
			put(t, tbl, numbered(0, 1)...)
		})
	}
}

// waitedFor tells whether an error says that its caller waited for something, until its context ended.
func waitedFor(err error, what table.WaitFor) bool {
	var w *table.WaitError
	return errors.Is(err, context.DeadlineExceeded) && errors.As(err, &w) && w.For == what
}

// A table that is closed while a dial hangs was sent nothing.
func TestP9_ClosedBeforeAnythingWasSent(t *testing.T) {
	t.Parallel()
	s, n := redistest.Start(t, redistest.Options{}), newNetwork()
	rdb := s.TCPClient(t, func(o *redis.Options) { o.ReadTimeout = readTimeout; n.options(o) })
	tbl := openAs(t, rdb, s.Client(t), itemDefinition(redistest.Prefix(t)), []string{"at", "rank"})
	put(t, tbl, numbered(0, 10)...)
	n.hang(t, unheard)
	n.cut()
	first := async(t, func() error { return tbl.ScratchPut(t.Context(), numbered(0, 1)...) })
	dials := n.dials.Load()
	until(t, "a dial", func() bool { return n.dials.Load() > dials })
	second := async(t, func() error { return tbl.ScratchPut(t.Context(), numbered(0, 1)...) })
	closesInTime(t, tbl)
	_ = receive(t, "the first", first) // it may have been written to the connection that was cut
	if err := receive(t, "the second", second); !errors.Is(err, table.ErrClosed) || errors.Is(err, table.ErrUnknownOutcome) {
		t.Errorf("got %v", err)
	}
}

// allowing is a Limiter that lets only so many pass.
type allowing struct{ left int }

func (a *allowing) Allow() error {
	a.left--
	if a.left < 0 {
		return errBreaker
	}
	return nil
}

func (*allowing) ReportResult(error) {}

// Whichever call a Limiter stops first, Open and Drop have sent nothing that changes anything, and say so.
func TestP9_OpenAndDropBehindALimiter(t *testing.T) {
	t.Parallel()
	s, name := redistest.Start(t, redistest.Options{}), redistest.Prefix(t)
	behind := func(n int) *redis.Client {
		return s.TCPClient(t, func(o *redis.Options) { o.Limiter = &allowing{n} })
	}
	wantBreaker := func(what string, n int, err error) {
		if errors.Is(err, table.ErrUnknownOutcome) || !errors.Is(err, errBreaker) {
			t.Errorf("%s after %d calls: %v", what, n, err)
		}
		saysOnce(t, what, name, err)
	}
	for n := range 40 {
		owner := openUnwalked(t, s.Client(t), name)
		put(t, owner, numbered(0, 3)...)
		if err := table.Drop(t.Context(), behind(n), name); err != nil {
			wantBreaker("drop", n, err)
			wantIDs(t, owner, owner.All("at"), 0, 1, 2)
		}
		if tbl, err := table.Open(t.Context(), behind(n), itemDefinition(name)); err != nil {
			wantBreaker("open", n, err)
		} else {
			ok(t, tbl.Close())
		}
	}
}
