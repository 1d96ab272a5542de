package table_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// verbs are all calls that ask Redis, or wait for what it alone can bring.
func verbs(tbl *items) map[string]func(context.Context) error {
	all := map[string]func(context.Context) error{
		"get":    func(ctx context.Context) error { _, err := tbl.Get(ctx, 1); return err },
		"read":   func(ctx context.Context) error { return lastError(tbl.Records(ctx, tbl.All("at"))) },
		"count":  func(ctx context.Context) error { _, err := tbl.Count(ctx, tbl.All("at")); return err },
		"page":   func(ctx context.Context) error { _, _, err := tbl.Page(ctx, tbl.All("at"), "", 50); return err },
		"note":   func(ctx context.Context) error { _, err := tbl.Note(ctx); return err },
		"stats":  func(ctx context.Context) error { _, err := tbl.Stats(ctx); return err },
		"verify": func(ctx context.Context) error { _, err := tbl.Verify(ctx); return err },
		"stream": func(ctx context.Context) error {
			st := tbl.Stream(ctx, tbl.All("at"))
			for range st.C() {
			}
			return st.Err()
		},
		"sweep": func(ctx context.Context) error { _, err := tbl.Delete(ctx, tbl.All("at")); return err },
	}
	for what, m := range mutations() {
		if what != "merge" && what != "abort" { // these do nothing where nothing is staged
			all[what] = func(ctx context.Context) error { return m.do(ctx, tbl) }
		}
	}
	return all
}

// After the client was closed every call says so at once, in every state of the lock, also those that were waiting; and Close
// returns.
func TestP7_AClosedClientIsToldByEveryCall(t *testing.T) {
	t.Parallel()
	for state, prepare := range map[string]func(*testing.T, *items){
		"clear":  func(*testing.T, *items) {},
		"active": func(t *testing.T, tbl *items) { stageSome(t, tbl) },
		"merging": func(t *testing.T, tbl *items) {
			stageSome(t, tbl)
			merge(t, tbl)
		},
	} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			s, brake := redistest.Start(t, redistest.Options{}), newBrake(t)
			rdb := s.TCPClient(t, nil)
			tbl, err := table.Open(t.Context(), rdb, itemDefinition(redistest.Prefix(t)), table.WithCleanup(brake.pool))
			ok(t, err)
			put(t, tbl, numbered(0, 20)...)
			prepare(t, tbl)
			var waiting []<-chan error
			if state != "clear" {
				waiting = append(waiting, async(t, func() error { return tbl.Put(t.Context(), numbered(30, 31)...) }),
					async(t, func() error { return tbl.WaitClear(t.Context()) }))
				until(t, "a put to wait", func() bool { return stats(t, tbl).Mailbox == 1 })
			}
			ok(t, rdb.Close())
			brake.release()
			for what, call := range verbs(tbl) {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				if err := call(ctx); !errors.Is(err, redis.ErrClosed) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, table.ErrUnknownOutcome) {
					t.Errorf("%s: got %v, want redis.ErrClosed", what, err)
				}
				cancel()
			}
			for _, w := range waiting {
				if err := receive(t, "a call that was waiting", w); !errors.Is(err, redis.ErrClosed) {
					t.Errorf("a call that was waiting: got %v, want redis.ErrClosed", err)
				}
			}
			closed := async(t, tbl.Close)
			ok(t, receive(t, "Close", closed))
			if _, err := table.Open(t.Context(), rdb, itemDefinition(redistest.Prefix(t))); !errors.Is(err, redis.ErrClosed) {
				t.Errorf("open: got %v, want redis.ErrClosed", err)
			}
		})
	}
}

// The outcome of a write is unknown, and the server no longer lets anybody ask: its caller is told so at once, others what the
// server says; when it lets the client in again all goes on.
func TestP7_WhatCannotBeSettledIsToldAtOnce(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct{ shut, open, says string }{
		"password": {"resetpass", ">PASSWORD", "WRONGPASS"},
		"user":     {"off", "on", "WRONGPASS"},
		"command":  {"-evalsha", "+evalsha", "NOPERM"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s, name := redistest.Start(t, redistest.Options{}), redistest.Prefix(t)
			admin, rdb := s.Client(t), limited(t, s, name, aclRule(t, name))
			tbl := openLimited(t, admin, rdb, name)
			put(t, tbl, numbered(0, 10)...)
			setUser(t, admin, name, c.shut)
			ok(t, admin.Do(t.Context(), "CLIENT", "KILL", "USER", name).Err())
			for range 3 {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				err := tbl.Put(ctx, numbered(10, 12)...)
				cancel()
				if errors.Is(err, context.DeadlineExceeded) || err == nil || !strings.Contains(err.Error(), c.says) {
					t.Fatalf("got %v, want %s at once", err, c.says)
				}
			}
			setUser(t, admin, name, c.open)
			put(t, tbl, numbered(20, 22)...)
			wantIDs(t, tbl, tbl.Range("at", 200, 1000), 20, 21)
		})
	}
}
