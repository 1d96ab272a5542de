package examples_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
)

// cityDatabase stands for a database: it understands the three statements of Example_cache.
type cityDatabase struct {
	mu     sync.Mutex // guards what follows
	cities map[int64]City
	err    error // of all statements, if it is away
}

func newCityDatabase(cities ...City) *cityDatabase {
	d := &cityDatabase{cities: make(map[int64]City)}
	for _, c := range cities {
		d.cities[c.ID] = c
	}
	return d
}

func (d *cityDatabase) fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
}

func (d *cityDatabase) Connect(context.Context) (driver.Conn, error) { return cityConn{d}, nil }
func (d *cityDatabase) Driver() driver.Driver                        { return nil }

type cityConn struct{ *cityDatabase }

var errStatement = errors.New("no such statement")

func (cityConn) Prepare(string) (driver.Stmt, error) { return nil, errStatement }
func (cityConn) Begin() (driver.Tx, error)           { return nil, errStatement }
func (cityConn) Close() error                        { return nil }

// ExecContext counts the people of a city anew.
func (d cityConn) ExecContext(_ context.Context, _ string, args []driver.NamedValue) (driver.Result, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		return nil, d.err
	}
	id := args[1].Value.(int64)
	c := d.cities[id]
	c.People = int32(args[0].Value.(int64))
	d.cities[id] = c
	return driver.RowsAffected(1), nil
}

// QueryContext selects cities by their ids, or by how many people they have.
func (d cityConn) QueryContext(_ context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	wanted := func(c City) bool {
		return slices.ContainsFunc(args, func(a driver.NamedValue) bool { return a.Value == c.ID })
	}
	if strings.Contains(query, "people >= ?") {
		wanted = func(c City) bool { return inAnyPair(float64(c.People), args) }
	}
	found := slices.Collect(maps.Values(d.cities))
	return &cityRows{slices.DeleteFunc(found, func(c City) bool { return !wanted(c) })}, d.err
}

// inAnyPair tells whether a number lies in one of the intervals.
func inAnyPair(n float64, args []driver.NamedValue) bool {
	for pair := range slices.Chunk(args, 2) {
		if pair[0].Value.(float64) <= n && n < pair[1].Value.(float64) {
			return true
		}
	}
	return false
}

type cityRows struct{ left []City }

func (r *cityRows) Columns() []string { return []string{"id", "name", "people"} }
func (r *cityRows) Close() error      { return nil }

func (r *cityRows) Next(row []driver.Value) error {
	if len(r.left) == 0 {
		return io.EOF
	}
	c := r.left[0]
	row[0], row[1], row[2], r.left = c.ID, c.Name, int64(c.People), r.left[1:]
	return nil
}
