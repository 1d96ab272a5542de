package pg

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/goleak"

	"github.com/tablecache-go/tablecache/internal/pgtest"
)

// server is started once for the tests of this package; each has a database of its own.
var server *pgtest.Server

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if server, err = pgtest.Launch(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	server.Stop()
	if code != 0 {
		return code // a failed test leaks as a matter of course
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// flight is a record.
type flight struct {
	ID    int64
	Price float64
}

// newPool returns a pool on a database of the test's own.
func newPool(t *testing.T) *pgxpool.Pool { return poolOn(t, server.Database(t), nil) }

func poolOn(t *testing.T, url string, change func(*pgxpool.Config)) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(config)
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// newFlights returns a pool on a database with flights 1 to n, whose prices are their ids.
func newFlights(t *testing.T, n int) *pgxpool.Pool {
	t.Helper()
	pool := newPool(t)
	fill(t, pool, n)
	return pool
}

func fill(t *testing.T, pool *pgxpool.Pool, n int) {
	t.Helper()
	exec(t, pool, "CREATE TABLE flights (id bigint PRIMARY KEY, price double precision NOT NULL)")
	exec(t, pool, "INSERT INTO flights SELECT n, n FROM generate_series(1, $1::int) n", n)
}

type executor interface {
	Exec(ctx context.Context, sql string, args ...any) (tag, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func exec(t *testing.T, db executor, sql string, args ...any) {
	t.Helper()
	if _, err := db.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// one returns the value that a query selects.
func one[T any](t *testing.T, db executor, sql string, args ...any) (v T) {
	t.Helper()
	if err := db.QueryRow(t.Context(), sql, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}
