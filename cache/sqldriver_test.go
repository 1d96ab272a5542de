package cache_test

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"slices"
	"sync"
	"testing"

	"github.com/tablecache-go/tablecache/cache"
)

// database is a database/sql driver over a source in memory. It knows the queries "by at", "by value" and "by keys", and counts what was
// opened and ended.
type database struct {
	source *source

	mu                                           sync.Mutex // guards what follows
	failing                                      map[string]error
	opened, closed, begun, committed, rolledBack int
	options                                      []driver.TxOptions
	args                                         [][]driver.NamedValue
}

func (d *database) Driver() driver.Driver                        { return d }
func (d *database) Open(string) (driver.Conn, error)             { return &conn{d}, nil }
func (d *database) Connect(context.Context) (driver.Conn, error) { return &conn{d}, nil }

// failAt makes the next steps of a name fail.
func (d *database) failAt(step string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failing = map[string]error{step: err}
}

// step counts a step, and fails if that is to fail.
func (d *database) step(name string, count *int) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.failing[name]; err != nil {
		return err
	}
	*count++
	return nil
}

type conn struct{ *database }

func (c *conn) Close() error                        { return nil }
func (c *conn) Prepare(string) (driver.Stmt, error) { return nil, errors.New("nobody prepares") }
func (c *conn) Begin() (driver.Tx, error)           { return nil, errors.New("nobody begins without options") }

func (c *conn) BeginTx(_ context.Context, o driver.TxOptions) (driver.Tx, error) {
	c.mu.Lock()
	c.options = append(c.options, o)
	c.mu.Unlock()
	return c, c.step("begin", &c.begun)
}

func (c *conn) Commit() error   { return c.step("commit", &c.committed) }
func (c *conn) Rollback() error { return c.step("roll back", &c.rolledBack) }

func (c *conn) QueryContext(_ context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.mu.Lock()
	c.args = append(c.args, args)
	c.mu.Unlock()
	r := &rows{database: c.database}
	c.source.set(func(s *source) {
		for _, i := range s.items {
			if wanted(query, args, i) {
				r.left = append(r.left, i)
			}
		}
	})
	slices.SortFunc(r.left, func(a, b item) int { return cmp.Compare(a.ID, b.ID) })
	return r, c.step("query", &c.opened)
}

func wanted(query string, args []driver.NamedValue, i item) bool {
	if query == "by keys" {
		return slices.ContainsFunc(args, func(a driver.NamedValue) bool { return a.Value == i.ID })
	}
	in := from(args[0].Value.(float64), args[1].Value.(float64))
	return in.Contains(score(query[len("by "):], i))
}

type rows struct {
	*database
	left []item
	seen int
}

func (r *rows) Columns() []string { return []string{"id", "at", "value"} }

func (r *rows) Close() error { return r.step("close", &r.closed) }

func (r *rows) Next(to []driver.Value) error {
	if r.seen == 2 {
		if err := r.step("third row", new(int)); err != nil {
			return err
		}
	}
	if len(r.left) == 0 {
		return io.EOF
	}
	to[0], to[1], to[2] = r.left[0].ID, r.left[0].At, r.left[0].Value
	r.left, r.seen = r.left[1:], r.seen+1
	return nil
}

// openSQL returns a database with items, and a source over it that has a single connection: who does not give it back is found out.
func openSQL(t testing.TB, items ...item) (*database, cache.SQLByKey[item, int64]) {
	t.Helper()
	d := &database{source: newSource(items...)}
	db := sql.OpenDB(d)
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	return d, cache.SQLByKey[item, int64]{
		SQL: cache.SQL[item]{
			DB:      db,
			Queries: map[string]cache.SQLQuery{"at": {Text: "by at"}, "value": {Text: "by value"}},
			Scan: func(r *sql.Rows) (i item, err error) {
				err = r.Scan(&i.ID, &i.At, &i.Value)
				return i, err
			},
		},
		ByKeys: func(keys []int64) (string, []any, error) {
			args := make([]any, len(keys))
			for i := range keys {
				args[i] = keys[i]
			}
			return "by keys", args, nil
		},
	}
}

// wantEnded checks that all that was begun has ended, and that the connection is free.
func (d *database) wantEnded(t testing.TB, db *sql.DB) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if used := db.Stats().InUse; used != 0 || d.opened != d.closed || d.begun != d.committed+d.rolledBack {
		t.Errorf("%d connections in use, rows %d of %d closed, of %d transactions %d committed and %d rolled back",
			used, d.closed, d.opened, d.begun, d.committed, d.rolledBack)
	}
}
