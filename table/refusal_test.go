package table_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// refusing is a way in which a server refuses writes.
type refusing struct {
	what       string
	is         func(error) bool // tells its errors from others
	begin, end func(t *testing.T, admin *redis.Client)
	unless     []string // mutations that it lets pass
	folds      bool     // and so with folds
}

func config(name, value string) func(*testing.T, *redis.Client) {
	return func(t *testing.T, admin *redis.Client) { ok(t, admin.ConfigSet(t.Context(), name, value).Err()) }
}

func command(args ...any) func(*testing.T, *redis.Client) {
	return func(t *testing.T, admin *redis.Client) { ok(t, admin.Do(t.Context(), args...).Err()) }
}

// failToSave makes the server's next snapshot fail, as on a disk that is full.
func failToSave(t *testing.T, admin *redis.Client) {
	dir := admin.ConfigGet(t.Context(), "dir").Val()["dir"]
	ok(t, os.Remove(dir)) // the server is in it, and can make no file there
	config("save", "3600 1")(t, admin)
	ok(t, admin.BgSave(t.Context()).Err())
	until(t, "the snapshot to fail", func() bool {
		return strings.Contains(admin.Info(t.Context(), "persistence").Val(), "rdb_last_bgsave_status:err")
	})
}

// isMisconfigured: go-redis has no predicate for this code.
func isMisconfigured(err error) bool { return redis.HasErrorPrefix(err, "MISCONF") }

func waysToRefuse() []refusing {
	return []refusing{
		{what: "a replica", is: redis.IsReadOnlyError, begin: command("REPLICAOF", "127.0.0.1", "1"), end: command("REPLICAOF", "NO", "ONE")},
		{what: "too few replicas", is: redis.IsNoReplicasError, begin: config("min-replicas-to-write", "1"), end: config("min-replicas-to-write", "0")},
		{what: "a full disk", is: isMisconfigured, begin: failToSave, end: config("save", "")},
		{what: "no memory", is: redis.IsOOMError, begin: config("maxmemory", "1"), end: config("maxmemory", "0"), folds: true,
			unless: []string{"delete", "discard", "merge", "abort", "clear"}},
	}
}

// A server that refuses writes is asked once, and its answer is the caller's; nothing has changed. What frees memory
// goes on where there is none. When the server takes writes again, all goes on.
func TestAServerThatRefusesWrites(t *testing.T) {
	t.Parallel()
	for _, r := range waysToRefuse() {
		t.Run(r.what, func(t *testing.T) {
			t.Parallel()
			s := redistest.Start(t, redistest.Options{Dir: t.TempDir()})
			admin := s.Client(t)
			tables, sent := make(map[string]*items), make(map[string]*counter)
			for what, m := range mutations() {
				rdb := s.Client(t)
				tables[what], sent[what] = openOn(t, rdb, redistest.Prefix(t)), &counter{}
				put(t, tables[what], numbered(0, 10)...)
				if m.staged {
					stageSome(t, tables[what])
				}
				rdb.AddHook(sent[what])
			}
			r.begin(t, admin)
			for what, m := range mutations() {
				refusedOrNot(t, admin, r, what, m, tables[what], sent[what])
			}
			r.end(t, admin)
			for what, m := range mutations() {
				ok(t, m.do(t.Context(), tables[what]))
				mergeAndFold(t, tables[what])
				put(t, tables[what], numbered(30, 40)...)
			}
		})
	}
}

func refusedOrNot(t *testing.T, admin *redis.Client, r refusing, what string, m mutation, tbl *items, sent *counter) {
	t.Helper()
	before := dump(t, admin, tbl.Name())
	err := m.do(t.Context(), tbl)
	if slices.Contains(r.unless, what) {
		ok(t, err)
		return
	}
	if !r.is(err) {
		t.Errorf("%s: got %v, want %s", what, err, r.what)
	}
	wantUntouched(t, admin, tbl.Name(), before)
	if n := sent.n.Load(); n > 60 {
		t.Errorf("%s: %d commands were sent", what, n)
	}
}

// A fold that the server refuses is tried again, not too often, and Stats tells; when it is no longer refused it ends.
func TestAServerThatRefusesFolds(t *testing.T) {
	t.Parallel()
	for _, r := range waysToRefuse() {
		t.Run(r.what, func(t *testing.T) {
			t.Parallel()
			s := redistest.Start(t, redistest.Options{Dir: t.TempDir()})
			admin, rdb, brake, sent := s.Client(t), s.Client(t), newBrake(t), &counter{}
			tbl := openOn(t, rdb, redistest.Prefix(t), table.WithCleanup(brake.pool))
			put(t, tbl, numbered(0, 10)...)
			stageSome(t, tbl)
			merge(t, tbl)
			r.begin(t, admin)
			rdb.AddHook(sent)
			brake.release()
			if !r.folds {
				until(t, "the fold to fail", func() bool {
					st := stats(t, tbl)
					return st.FoldFailures >= 3 && st.State == table.StateMerging && r.is(st.FoldError)
				})
				r.end(t, admin)
			}
			ok(t, tbl.WaitClear(t.Context()))
			if r.folds {
				r.end(t, admin)
			}
			if st := stats(t, tbl); st.FoldFailures != 0 || st.FoldError != nil {
				t.Errorf("after the fold: %+v", st)
			}
		})
	}
}

// While a foreign script runs for ever, calls end at their deadlines and send little; when it is killed, those that still
// wait go on.
func TestABusyServer(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{Args: []string{"--busy-reply-threshold", "1"}})
	admin, foreign, rdb := s.Client(t), s.TCPClient(t, func(o *redis.Options) { o.ReadTimeout = -1 }), s.Client(t)
	tbl, sent := openOn(t, rdb, redistest.Prefix(t)), &counter{}
	put(t, tbl, numbered(0, 10)...)
	rdb.AddHook(sent)
	endless := async(t, func() error { return foreign.Eval(context.Background(), "while true do end", nil).Err() })
	until(t, "the script to run", func() bool { return wire.Passes(admin.Ping(t.Context()).Err()) })
	calls := map[string]func(context.Context) error{
		"put":   func(ctx context.Context) error { return tbl.Put(ctx, numbered(0, 1)...) },
		"get":   func(ctx context.Context) error { _, err := tbl.Get(ctx, 1); return err },
		"count": func(ctx context.Context) error { _, err := tbl.Count(ctx, tbl.All("at")); return err },
	}
	for what, call := range calls {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		if err := call(ctx); !isDeadline(err) {
			t.Errorf("%s: got %v, want DeadlineExceeded", what, err)
		}
		cancel()
	}
	if n := sent.n.Load(); n > 200 {
		t.Errorf("%d commands were sent in a second", n)
	}
	var waiting []<-chan error
	for _, call := range calls {
		waiting = append(waiting, async(t, func() error { return call(t.Context()) }))
	}
	ok(t, admin.ScriptKill(t.Context()).Err())
	for _, w := range waiting {
		ok(t, receive(t, "a call that has waited", w))
	}
	<-endless // it was killed: that is its error
}

func isDeadline(err error) bool {
	return errors.Is(err, context.DeadlineExceeded)
}

// A server that no longer lets the client in has lost nothing: all who ask at once are told what it says, and all goes on
// when it lets the client in again.
func TestG11_AServerThatShutsTheClientOutHasLostNothing(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{})
	name := redistest.Prefix(t)
	admin, rdb := s.Client(t), limited(t, s, name, aclRule(t, name))
	tbl := openLimited(t, admin, rdb, name)
	put(t, tbl, numbered(0, 10)...)
	setUser(t, admin, name, "resetpass")
	ok(t, admin.Do(t.Context(), "CLIENT", "KILL", "USER", name).Err())
	var calls []<-chan error
	for i := range 100 {
		calls = append(calls, async(t, func() error { _, err := tbl.Get(t.Context(), int64(i%10)); return err }),
			async(t, func() error { _, err := tbl.Count(t.Context(), tbl.All("at")); return err }))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := tbl.Put(ctx, numbered(0, 1)...); !errors.Is(err, table.ErrUnknownOutcome) && !redis.IsAuthError(err) {
		t.Errorf("put: got %v", err) // it was cut off, and cannot ask what became of it
	}
	for _, c := range calls {
		if err := receive(t, "a call", c); err == nil || !redis.IsAuthError(err) || errors.Is(err, table.ErrLost) {
			t.Errorf("got %v, want that it is shut out", err)
		}
	}
	setUser(t, admin, name, ">PASSWORD")
	until(t, "the connections that were refused before to be told of", func() bool { // go-redis gives a dial's error to whoever waits for one then
		err := tbl.Put(t.Context(), numbered(10, 11)...)
		if err != nil && !redis.IsAuthError(err) {
			t.Fatal(err)
		}
		return err == nil
	})
	wantIDs(t, tbl, tbl.Range("at", 0, 30), 0, 1, 2)
}

// Out of memory a failed overwrite leaves the old row, and every acknowledged put is readable.
func TestU22_OutOfMemoryLosesNothing(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t, redistest.Options{Args: []string{"--maxmemory", "3mb"}}).Client(t)
	tbl := openOn(t, rdb, "t")
	put(t, tbl, numbered(0, 1)...)
	acked, err := 1, error(nil)
	for ; err == nil; acked += 10 {
		err = tbl.Put(t.Context(), padded(acked, acked+10)...)
	}
	acked -= 10
	if !redis.IsOOMError(err) {
		t.Errorf("got %v, want OOM", err)
	}
	ok(t, rdb.ConfigSet(t.Context(), "maxmemory", "2mb").Err()) // what a closed connection leaves free is not enough
	if err := tbl.Put(t.Context(), padded(0, 1)...); !redis.IsOOMError(err) {
		t.Errorf("overwriting: got %v, want OOM", err)
	}
	if got, err := tbl.Get(t.Context(), 0); err != nil || got.Name != "n0" {
		t.Errorf("the old row is %.20q, %v", got.Name, err)
	}
	if n := len(ids(t, tbl, tbl.All("at"))); n != acked {
		t.Errorf("%d rows are readable, %d were acknowledged", n, acked)
	}
	n, err := tbl.Delete(t.Context(), tbl.All("at")) // what frees memory runs
	if err != nil || n != acked {
		t.Errorf("%d deleted, %v", n, err)
	}
	ok(t, rdb.ConfigSet(t.Context(), "maxmemory", "3mb").Err())
	put(t, tbl, numbered(0, 1)...)
}
