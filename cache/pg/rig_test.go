package pg

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tablecache-go/tablecache/table"
)

// told is one call of an Invalidator.
type told struct {
	verb  string // keys, intervals, refresh, replayed
	keys  []int64
	index string
	in    []table.Interval
}

// recorder is an Invalidator that tells its test of each call, in order.
type recorder struct {
	calls   chan told
	refresh func(context.Context) error // may be nil
	ended   chan struct{}
	final   error // of Err; written before ended is closed

	mu      sync.Mutex // guards refused
	refused error      // of InvalidateKeys
}

func newRecorder() *recorder {
	return &recorder{calls: make(chan told, 10_000), ended: make(chan struct{})}
}

// end is the end of the cache.
func (r *recorder) end(final error) {
	r.final = final
	close(r.ended)
}

func (r *recorder) Done() <-chan struct{} { return r.ended }

func (r *recorder) Err() error {
	select {
	case <-r.ended:
		return r.final
	default:
		return nil
	}
}

func (r *recorder) Invalidate(index string, in ...table.Interval) error {
	if index != "price" {
		return table.ErrUnknownIndex
	}
	r.calls <- told{verb: "intervals", index: index, in: in}
	return nil
}

func (r *recorder) InvalidateKeys(keys ...int64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(keys) > 0 && r.refused == nil {
		slices.Sort(keys)
		r.calls <- told{verb: "keys", keys: keys}
	}
	return r.refused
}

func (r *recorder) Refresh(ctx context.Context) error {
	var err error
	if r.refresh != nil {
		err = r.refresh(ctx)
	}
	r.calls <- told{verb: "refresh"}
	return err
}

func (r *recorder) Replayed() { r.calls <- told{verb: "replayed"} }

// next returns the next call of a verb, and forgets those before.
func (r *recorder) next(t *testing.T, verb string) told {
	t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		select {
		case c := <-r.calls:
			if c.verb == verb {
				return c
			}
		case <-timeout:
			t.Fatalf("no %s", verb)
		}
	}
}

func (r *recorder) wantKeys(t *testing.T, want ...int64) {
	t.Helper()
	if got := r.next(t, "keys"); !slices.Equal(got.keys, want) {
		t.Errorf("told of the keys %v, want %v", got.keys, want)
	}
}

func (r *recorder) wantEverything(t *testing.T) {
	t.Helper()
	if got := r.next(t, "intervals"); len(got.in) != 0 {
		t.Errorf("told of %v, want everything", got.in)
	}
}

// quiet fails if anything of a verb was told meanwhile.
func (r *recorder) quiet(t *testing.T, verb string) {
	t.Helper()
	for {
		select {
		case c := <-r.calls:
			if c.verb == verb {
				t.Errorf("told: %+v", c)
			}
		default:
			return
		}
	}
}

var flightChanges = Changes[int64]{Name: "flights", Index: "price", Key: func(text string) (int64, error) {
	return strconv.ParseInt(text, 10, 64)
}}

// recorded returns a pool on flights 1 to n, with a trigger, and nothing pending.
func recorded(t *testing.T, n int) *pgxpool.Pool {
	t.Helper()
	pool := newFlights(t, n)
	if err := Install(t.Context(), pool, flightsTrigger); err != nil {
		t.Fatal(err)
	}
	exec(t, pool, "DELETE FROM tablecache_pending")
	return pool
}

// listening is a Listen that a test has started.
type listening struct {
	stop context.CancelFunc
	done chan error
}

// listen starts a Listen, which ends with the test.
func listen(t *testing.T, pool *pgxpool.Pool, to Invalidator[int64], opts ...ListenOption) *listening {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := &listening{stop: cancel, done: make(chan error, 1)}
	go func() { l.done <- Listen(ctx, pool, to, flightChanges, opts...) }()
	t.Cleanup(func() {
		cancel()
		if l.done != nil {
			if err := <-l.done; !errors.Is(err, context.Canceled) {
				t.Errorf("Listen returned %v", err)
			}
		}
	})
	return l
}

// returns waits for the end of a Listen.
func (l *listening) returns(t *testing.T) error {
	t.Helper()
	defer func() { l.done = nil }()
	select {
	case err := <-l.done:
		return err
	case <-time.After(20 * time.Second):
		t.Fatal("Listen does not return")
		return nil
	}
}

// begin begins a transaction that is rolled back with the test, unless it has ended.
func begin(t *testing.T, pool *pgxpool.Pool) pgx.Tx {
	t.Helper()
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) })
	return tx
}

func commit(t *testing.T, tx pgx.Tx) {
	t.Helper()
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// until waits for something to become true.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); {
		if time.Now().After(deadline) {
			t.Fatalf("not %s", what)
		}
		<-time.After(2 * time.Millisecond)
	}
}

// left is how many rows are pending.
func left(t *testing.T, pool *pgxpool.Pool) int {
	t.Helper()
	return one[int](t, pool, "SELECT count(*) FROM tablecache_pending")
}

func wantNoneLeft(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	until(t, "all taken off", func() bool { return left(t, pool) == 0 })
}
