package pg

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tablecache-go/tablecache/cache"
	"github.com/tablecache-go/tablecache/internal/pgtest"
	"github.com/tablecache-go/tablecache/table"
)

// never is a poll interval that no test lives to see.
const never = time.Hour

// C8: NOTIFY tells of a change at once.
func TestAChangeIsToldWithin100ms(t *testing.T) {
	t.Parallel()
	pool, r := recorded(t, 3), newRecorder()
	listen(t, pool, r, WithPoll(never))
	r.next(t, "replayed")
	exec(t, pool, "UPDATE flights SET price = 9 WHERE id = 1") // the connection for notifications is made by now, or its hint follows
	r.wantKeys(t, 1)
	best := time.Duration(never)
	for i := range int64(10) {
		began := time.Now()
		exec(t, pool, "UPDATE flights SET price = price + 1 WHERE id = $1", 1+i%3)
		r.wantKeys(t, 1+i%3)
		best = min(best, time.Since(began))
	}
	if best > 100*time.Millisecond {
		t.Errorf("told after %v at best", best)
	}
	wantNoneLeft(t, pool)
}

// C8: NOTIFY is a hint, what was missed is found.
func TestWhatWasNotNotifiedIsFound(t *testing.T) {
	t.Parallel()
	pool, r := recorded(t, 3), newRecorder()
	exec(t, pool, "ALTER TABLE tablecache_pending DISABLE TRIGGER ALL")
	listen(t, pool, r, WithPoll(10*time.Millisecond))
	r.next(t, "replayed")
	exec(t, pool, "DELETE FROM flights WHERE id = 2")
	r.wantKeys(t, 2) // maybe because LISTEN has begun; the next one is not
	exec(t, pool, "DELETE FROM flights WHERE id = 3")
	r.wantKeys(t, 3)
	wantNoneLeft(t, pool)
}

// What is pending is told first, then that it has been, and only then is anything waited for.
func TestReplayedComesAfterWhatWasPending(t *testing.T) {
	t.Parallel()
	pool, r := recorded(t, 30_000), newRecorder()
	exec(t, pool, "UPDATE flights SET price = 0")
	listen(t, pool, r, WithPoll(never))
	seen := map[int64]bool{}
	for c := range r.calls {
		for _, key := range c.keys {
			seen[key] = true
		}
		if c.verb == "replayed" {
			break
		}
	}
	if len(seen) != 30_000 {
		t.Errorf("%d of 30,000 keys were told before", len(seen))
	}
	wantNoneLeft(t, pool)
	r.quiet(t, "replayed")
}

// U37: 500 updates of one key are one.
func TestManyUpdatesOfOneKeyAreOne(t *testing.T) {
	t.Parallel()
	pool, r := recorded(t, 3), newRecorder()
	tx := begin(t, pool)
	for range 500 {
		exec(t, tx, "UPDATE flights SET price = price + 1 WHERE id = 2")
	}
	exec(t, tx, "INSERT INTO tablecache_pending (name, index, ge, lt) SELECT 'flights', 'price', 1, 2 FROM generate_series(1, 500)")
	commit(t, tx)
	listen(t, pool, r, WithPoll(never))
	if got := r.next(t, "intervals"); len(got.in) != 1 || got.in[0] != (table.Interval{GE: 1, LT: 2}) {
		t.Errorf("told of %v", got.in)
	}
	r.wantKeys(t, 2)
	wantNoneLeft(t, pool)
	r.quiet(t, "keys")
}

// Ids are given before a transaction commits: what commits late with a low id is not passed over.
func TestALowIdThatCommitsLateIsNotLost(t *testing.T) {
	t.Parallel()
	pool, r := recorded(t, 3), newRecorder()
	listen(t, pool, r, WithPoll(never))
	r.next(t, "replayed")
	late := begin(t, pool)
	exec(t, late, "UPDATE flights SET price = 9 WHERE id = 1")
	exec(t, pool, "UPDATE flights SET price = 9 WHERE id = 2")
	r.wantKeys(t, 2)
	wantNoneLeft(t, pool)
	commit(t, late)
	r.wantKeys(t, 1)
	wantNoneLeft(t, pool)
}

// C8: rows are taken off after the refresh is acknowledged, and no others; more is told meanwhile, and nothing twice.
func TestRowsStayUntilTheRefreshIsDone(t *testing.T) {
	t.Parallel()
	pool, r := recorded(t, 3), newRecorder()
	broken := errors.New("broken")
	results, failures := make(chan error), make(chan error, 10)
	r.refresh = func(ctx context.Context) error {
		select {
		case err := <-results:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	listen(t, pool, r, WithPoll(never), WithFailures(func(err error) { failures <- err }))
	exec(t, pool, "UPDATE flights SET price = 9 WHERE id = 1")
	r.wantKeys(t, 1)
	results <- broken
	if err := <-failures; !errors.Is(err, broken) {
		t.Error(err)
	}
	exec(t, pool, "UPDATE flights SET price = 9 WHERE id = 2")
	r.wantKeys(t, 2)
	results <- broken
	<-failures
	if n := left(t, pool); n != 2 {
		t.Errorf("%d rows are left after failures, want 2", n)
	}
	results <- nil
	wantNoneLeft(t, pool)
	r.quiet(t, "keys")
}

// A refresh counts for what was told before it began.
func TestWhatComesDuringARefreshIsRefreshedAgain(t *testing.T) {
	t.Parallel()
	pool, r := recorded(t, 3), newRecorder()
	began, release := make(chan struct{}), make(chan struct{})
	r.refresh = func(ctx context.Context) error {
		select {
		case began <- struct{}{}:
			<-release
		case <-ctx.Done():
		}
		return ctx.Err()
	}
	listen(t, pool, r, WithPoll(never))
	exec(t, pool, "UPDATE flights SET price = 9 WHERE id = 1")
	<-began
	exec(t, pool, "UPDATE flights SET price = 9 WHERE id = 2")
	for r.next(t, "keys").keys[0] != 2 {
	}
	release <- struct{}{}
	<-began
	if n := left(t, pool); n != 1 {
		t.Errorf("%d rows are left, want that of the second change", n)
	}
	release <- struct{}{}
	wantNoneLeft(t, pool)
}

// Nothing is forgotten that one Listen has told and not finished: the next one tells it.
func TestASuccessorIsToldWhatIsNotDone(t *testing.T) {
	t.Parallel()
	pool, first, second := recorded(t, 3), newRecorder(), newRecorder()
	first.refresh = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	l := listen(t, pool, first, WithPoll(never))
	exec(t, pool, "UPDATE flights SET price = 9 WHERE id = 3")
	first.wantKeys(t, 3)
	listen(t, pool, second, WithPoll(never)) // both at once, as in a take-over
	second.wantKeys(t, 3)
	wantNoneLeft(t, pool)
	l.stop()
	if err := l.returns(t); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestAKilledConnectionIsMadeAgain(t *testing.T) {
	t.Parallel()
	url := recorded(t, 3).Config().ConnString()
	ours, r := poolOn(t, url, func(c *pgxpool.Config) { c.MaxConns = 1 }), newRecorder()
	listen(t, poolOn(t, url, nil), r, WithPoll(never))
	const listeners = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()"
	for i := range int64(3) {
		until(t, "listening", func() bool { return one[int](t, ours, listeners) == 1 })
		exec(t, ours, "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()")
		exec(t, ours, "UPDATE flights SET price = 9 WHERE id = $1", i+1)
		r.wantKeys(t, i+1)
		wantNoneLeft(t, ours)
	}
}

// A database that is away is waited for.
func TestListenOutlivesTheServer(t *testing.T) {
	t.Parallel()
	own := pgtest.Start(t)
	pool, r := poolOn(t, own.Database(t), nil), newRecorder()
	fill(t, pool, 3)
	if err := Install(t.Context(), pool, flightsTrigger); err != nil {
		t.Fatal(err)
	}
	own.Kill(t)
	failed := make(chan error, 1000)
	listen(t, pool, r, WithPoll(10*time.Millisecond), WithFailures(func(err error) { failed <- err }))
	<-failed
	r.quiet(t, "replayed")
	own.Restart(t)
	r.wantEverything(t) // the trigger is new
	r.next(t, "replayed")
	own.Kill(t)
	<-failed
	own.Restart(t)
	pool.Reset() // of connections that are dead
	exec(t, pool, "UPDATE flights SET price = 9 WHERE id = 2")
	r.wantKeys(t, 2)
}

// What cannot be told in detail is everything.
func TestWhatIsNotUnderstoodIsEverything(t *testing.T) {
	t.Parallel()
	pool, r := recorded(t, 3), newRecorder()
	listen(t, pool, r, WithPoll(never))
	r.next(t, "replayed")
	for _, sql := range []string{
		"TRUNCATE flights",
		"INSERT INTO tablecache_pending (name) VALUES ('flights')",
		"INSERT INTO tablecache_pending (name, key) VALUES ('flights', 'no number')",
		"INSERT INTO tablecache_pending (name, index) VALUES ('flights', 'no index')",
		"INSERT INTO tablecache_pending (name, index, ge) VALUES ('flights', 'price', 'NaN')",
		"INSERT INTO tablecache_pending (name, index, ge, lt) VALUES ('flights', 'price', 2, 1)",
	} {
		exec(t, pool, sql)
		r.wantEverything(t)
		wantNoneLeft(t, pool)
	}
	exec(t, pool, "INSERT INTO tablecache_pending (name, index, ge) VALUES ('flights', 'price', 4)")
	if got := r.next(t, "intervals"); len(got.in) != 1 || got.in[0] != (table.Interval{GE: 4, LT: table.Everything().LT}) {
		t.Errorf("told of %v", got.in)
	}
	r.mu.Lock()
	r.refused = errors.New("refused")
	r.mu.Unlock()
	exec(t, pool, "INSERT INTO flights VALUES (1, 1)")
	r.wantEverything(t)
	wantNoneLeft(t, pool)
}

// Owners share a table of what is pending: each has its name.
func TestNamesAreApart(t *testing.T) {
	t.Parallel()
	pool, r := recorded(t, 3), newRecorder()
	exec(t, pool, "INSERT INTO tablecache_pending (name, key) VALUES ('hotels', '7'), ('flights', '2')")
	listen(t, pool, r, WithPoll(never))
	r.wantKeys(t, 2)
	until(t, "taken off", func() bool { return left(t, pool) == 1 })
	if name := one[string](t, pool, "SELECT name FROM tablecache_pending"); name != "hotels" {
		t.Errorf("the row of %s is left", name)
	}
}

func TestListenEndsWhenItIsInVain(t *testing.T) {
	t.Parallel()
	pool := recorded(t, 3)
	for _, final := range []error{table.ErrClosed, table.ErrFenced, table.ErrLost} {
		r := newRecorder()
		r.refresh = func(context.Context) error { return final }
		l := listen(t, pool, r, WithPoll(never))
		exec(t, pool, "UPDATE flights SET price = 9 WHERE id = 1")
		if err := l.returns(t); !errors.Is(err, final) {
			t.Errorf("%v, want %v", err, final)
		}
	}
	if left(t, pool) == 0 {
		t.Error("rows were taken off without a refresh")
	}
	r := newRecorder()
	r.refused = cache.ErrNoKeySource
	if err := listen(t, pool, r).returns(t); !errors.Is(err, cache.ErrNoKeySource) {
		t.Error(err)
	}
}

// Nothing need change, and nothing be found out by a refresh that fails: the end of the cache is the end of Listen.
func TestListenEndsWithItsCache(t *testing.T) {
	t.Parallel()
	pool := recorded(t, 3)
	for _, final := range []error{table.ErrClosed, table.ErrFenced, table.ErrLost} {
		r := newRecorder()
		l := listen(t, pool, r, WithPoll(never))
		r.next(t, "replayed")
		r.end(final)
		if err := l.returns(t); !errors.Is(err, final) {
			t.Errorf("%v, want %v", err, final)
		}
		if err := listen(t, pool, r, WithPoll(never)).returns(t); !errors.Is(err, final) {
			t.Errorf("%v of a cache that has ended, want %v", err, final)
		}
	}
	r := newRecorder()
	away := poolOn(t, "postgres://127.0.0.1:1/nowhere", nil)
	failed := make(chan error, 1000)
	l := listen(t, away, r, WithFailures(func(err error) { failed <- err }))
	<-failed
	r.end(table.ErrFenced)
	if err := l.returns(t); !errors.Is(err, table.ErrFenced) {
		t.Errorf("%v while the database is away, want %v", err, table.ErrFenced)
	}
}

// Listen works with a pool of one connection, and leaves neither that taken nor a connection of its own behind.
func TestListenNeedsOneConnectionOfThePool(t *testing.T) {
	t.Parallel()
	pool := poolOn(t, recorded(t, 3).Config().ConnString(), func(c *pgxpool.Config) { c.MaxConns = 1 })
	r := newRecorder()
	var fetched atomic.Int64
	r.refresh = func(ctx context.Context) error {
		got, err := ids(newSource(pool, byPrice).Fetch(ctx, "price", []table.Interval{table.Everything()}))
		fetched.Add(int64(len(got)))
		return err
	}
	l := listen(t, pool, r, WithPoll(never))
	for i := range int64(3) {
		exec(t, pool, "UPDATE flights SET price = 9 WHERE id = $1", i+1)
		r.next(t, "keys")
		r.next(t, "refresh")
	}
	wantNoneLeft(t, pool)
	l.stop()
	if err := l.returns(t); !errors.Is(err, context.Canceled) || fetched.Load() < 9 {
		t.Errorf("%v, %d fetched", err, fetched.Load())
	}
	if n := pool.Stat().AcquiredConns(); n != 0 {
		t.Errorf("%d connections are taken", n)
	}
}

func TestPendingElsewhere(t *testing.T) {
	t.Parallel()
	pool, r := newFlights(t, 3), newRecorder()
	exec(t, pool, `CREATE SCHEMA "my $schema"`)
	trigger := flightsTrigger
	trigger.Pending = pgx.Identifier{"my $schema", `what's "pending"`}
	if err := Install(t.Context(), pool, trigger); err != nil {
		t.Fatal(err)
	}
	listen(t, pool, r, WithPoll(never), WithPending(trigger.Pending))
	r.wantEverything(t)
	r.next(t, "replayed")
	exec(t, pool, "UPDATE flights SET price = 9 WHERE id = 2")
	r.wantKeys(t, 2)
}
