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

// limitAnswers makes the server close connections on which it must send more than so much.
func limitAnswers(t *testing.T, s *redistest.Server, limit string) {
	t.Helper()
	ok(t, s.Client(t).ConfigSet(t.Context(), "client-output-buffer-limit", "normal "+limit+" 0 0").Err())
	t.Cleanup(func() {
		ok(t, s.Client(t).ConfigSet(context.Background(), "client-output-buffer-limit", "normal 0 0 0").Err())
	})
}

// largeTable opens a table with rows of which each has 100 KB, and one of 4 MB under key 99.
func largeTable(t *testing.T, s *redistest.Server, name string, rdb redis.UniversalClient, opts ...table.Option) *items {
	t.Helper()
	tbl := openAs(t, rdb, s.Client(t), itemDefinition(name), []string{"at", "rank"}, opts...)
	for i := range 40 {
		put(t, tbl, large(int64(i), 100<<10))
	}
	put(t, tbl, large(99, 4<<20))
	return tbl
}

// Every read of a row that the server cannot send says so, and which limit it is: in the server's words where the user may ask
// for them. Everything else can be read.
func TestP11_ARowThatTheServerCannotSendIsNamed(t *testing.T) {
	t.Parallel()
	for _, user := range []string{"who may ask", "of the README's rule"} {
		t.Run(user, func(t *testing.T) {
			t.Parallel()
			s, name := redistest.Start(t, redistest.Options{}), redistest.Prefix(t)
			rdb := s.Client(t)
			if user != "who may ask" {
				rdb = limited(t, s, name, aclRule(t, name))
			}
			tbl := largeTable(t, s, name, rdb)
			limitAnswers(t, s, "1mb")
			reads := map[string]func(context.Context) error{
				"get":      func(ctx context.Context) error { _, err := tbl.Get(ctx, 99); return err },
				"look-up":  func(ctx context.Context) error { return lastError(tbl.Lookup(ctx, 1, 99)) },
				"range":    func(ctx context.Context) error { return lastError(tbl.Records(ctx, tbl.Range("at", 50, 100))) },
				"all":      func(ctx context.Context) error { return lastError(tbl.Records(ctx, tbl.All("at"))) },
				"backward": func(ctx context.Context) error { return lastError(tbl.Records(ctx, tbl.All("at").Reversed())) },
				"first":    func(ctx context.Context) error { _, err := tbl.First(ctx, tbl.All("at").Reversed()); return err },
				"page":     func(ctx context.Context) error { _, _, err := tbl.Page(ctx, tbl.All("at"), "", 50); return err },
				"delete": func(ctx context.Context) error {
					_, err := tbl.Delete(ctx, tbl.Range("at", 99, 100).Where(func(*item) bool { return false }))
					return err
				},
			}
			for what, read := range reads {
				err := read(t.Context())
				if !errors.Is(err, table.ErrTooLarge) || !strings.Contains(err.Error(), "client-output-buffer-limit") || errors.Is(err, table.ErrLost) {
					t.Errorf("%s: got %v, want that the server cannot send so much", what, err)
					continue
				}
				if told := strings.Contains(err.Error(), "1048576"); told != (user == "who may ask") {
					t.Errorf("%s: got %v", what, err)
				}
				if strings.Count(err.Error(), "tablecache:") != 1 || strings.Count(err.Error(), name) != 1 {
					t.Errorf("%s: said more than once: %v", what, err)
				}
			}
			wantIDs(t, tbl, tbl.Range("at", 0, 3), 0, 1, 2)
			if n, err := tbl.DeleteKeys(t.Context(), 99); n != 1 || err != nil {
				t.Errorf("deleted %d, %v", n, err)
			}
		})
	}
}

// Pages that are too large for the server are made smaller, whatever WithPageBytes says, and requests that are too large
// together are sent apart.
func TestP11_PagesThatTheServerCannotSendAreMadeSmaller(t *testing.T) {
	t.Parallel()
	s, name := redistest.Start(t, redistest.Options{}), redistest.Prefix(t)
	tbl := largeTable(t, s, name, s.Client(t), table.WithPageBytes(8<<20))
	_, err := tbl.DeleteKeys(t.Context(), 99)
	ok(t, err)
	limitAnswers(t, s, "300kb")
	var want []int64
	for i := range int64(40) {
		want = append(want, i)
	}
	for range 2 {
		wantIDs(t, tbl, tbl.All("at"), want...)
	}
	wantIDs(t, tbl, tbl.Range("at", 10, 14).Max(3), 10, 11, 12)
	var calls []<-chan error
	for i := range int64(40) {
		calls = append(calls, async(t, func() error { _, err := tbl.Get(t.Context(), i); return err }),
			async(t, func() error { _, err := tbl.First(t.Context(), tbl.Range("at", float64(i), 100)); return err }))
	}
	for _, c := range calls {
		ok(t, receive(t, "a read", c))
	}
	if _, err := tbl.Delete(t.Context(), tbl.All("at")); err != nil {
		t.Error(err)
	}
}

// A connection that ends is not taken for a limit: where nothing gets through, or the server says that it has none, the error
// stays as it is.
func TestP11_ACutConnectionIsNoLimit(t *testing.T) {
	t.Parallel()
	s, name := redistest.Start(t, redistest.Options{}), redistest.Prefix(t)
	tbl, err := table.Open(t.Context(), s.Client(t), itemDefinition(name))
	ok(t, err)
	defer tbl.Close()
	put(t, tbl, numbered(0, 3)...)
	s.Kill(t)
	if _, err := tbl.Get(t.Context(), 1); err == nil || errors.Is(err, table.ErrTooLarge) {
		t.Errorf("got %v, want an error of the connection", err)
	}
}
