package table_test

import (
	"cmp"
	"context"
	"fmt"
	stdmaps "maps"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/internal/walk"
	"github.com/tablecache-go/tablecache/table"
)

// evolving is a table whose definition changes, and what it must hold.
type evolving struct {
	t       *testing.T
	rdb     *redis.Client
	name    string
	tbl     *things
	readers map[string]*table.Reader[thing, int64] // by their attributes

	attributes, indexes string // of the owner
	columns             map[rune]int
	made                int                      // columns
	rows                map[int64]map[int]int64  // by key and column
	staged              map[int64]*map[int]int64 // what a merge makes of keys; nil: gone
}

// TestS1_AModelOfChanges opens a table under one definition after another, and writes and reads it in between.
func TestS1_AModelOfChanges(t *testing.T) {
	t.Parallel()
	rdb := redistest.Shared(t).Client(t)
	rapid.Check(t, func(r *rapid.T) {
		e := &evolving{t: t, rdb: rdb, name: redistest.Prefix(t), readers: make(map[string]*table.Reader[thing, int64]),
			columns: make(map[rune]int), rows: make(map[int64]map[int]int64), staged: make(map[int64]*map[int]int64)}
		defer e.close()
		e.open(r)
		r.Repeat(map[string]func(*rapid.T){
			"open": e.open,
			"put": func(r *rapid.T) {
				e.mayPut(r)
				e.put(r, e.tbl.Put, func(id int64, row map[int]int64) { e.rows[id] = row })
			},
			"delete": e.remove,
			"stage":  func(r *rapid.T) { e.stage(r) },
			"merge":  e.merge,
			"read":   e.check,
		})
		e.check(r)
	})
}

func (e *evolving) close() {
	ok(e.t, e.tbl.Close())
	for _, r := range e.readers {
		ok(e.t, r.Close())
	}
	ok(e.t, table.Drop(e.t.Context(), e.rdb, e.name))
}

// open opens the table under another definition: an index only where its attribute is stored.
func (e *evolving) open(r *rapid.T) {
	if e.tbl != nil && rapid.Bool().Draw(r, "closed") {
		ok(e.t, e.tbl.Close())
	}
	some := rapid.Permutation([]string{"a", "b", "c", "d"}).Draw(r, "order")[:rapid.IntRange(0, 4).Draw(r, "attributes")]
	e.attributes, e.indexes = strings.Join(some, "")+"i", "i"
	for _, name := range []string{"a", "b"} {
		if strings.Contains(e.attributes, name) && rapid.Bool().Draw(r, name) {
			e.indexes = name + e.indexes
		}
	}
	e.evolve(rapid.IntRange(0, 2).Draw(r, "dropping") == 0)
}

func (e *evolving) evolve(dropping bool) {
	var opts []table.Option
	if dropping {
		opts = append(opts, table.WithDropping())
		stdmaps.DeleteFunc(e.columns, func(name rune, _ int) bool { return !strings.ContainsRune(e.attributes, name) })
	}
	for _, name := range e.attributes {
		if _, there := e.columns[name]; !there {
			e.columns[name], e.made = e.made, e.made+1
		}
	}
	tbl, err := table.Open(e.t.Context(), e.rdb, defineThings(e.name, e.attributes, e.indexes), opts...)
	ok(e.t, err)
	if e.tbl != nil {
		ok(e.t, e.tbl.Close())
	}
	e.tbl = tbl
	clear(e.staged)
}

// row returns a record of a value, and what of it is stored.
func (e *evolving) row(id, v int64) (thing, map[int]int64) {
	stored := make(map[int]int64)
	for _, name := range e.attributes {
		stored[e.columns[name]] = v
	}
	return thing{ID: id, A: v, B: v, C: fmt.Sprint(v), D: &v}, stored
}

// seen returns a record as a definition with these attributes shows it.
func (e *evolving) seen(id int64, row map[int]int64, attributes string) thing {
	r := thing{}
	for _, name := range attributes {
		column, there := e.columns[name]
		v, stored := row[column]
		switch {
		case name == 'i':
			r.ID = id
		case !there || !stored:
		case name == 'a':
			r.A = v
		case name == 'b':
			r.B = v
		case name == 'c':
			r.C = fmt.Sprint(v)
		case name == 'd':
			r.D = &v
		}
	}
	return r
}

func (e *evolving) put(r *rapid.T, write func(ctx context.Context, records ...thing) error, to func(int64, map[int]int64)) {
	var records []thing
	for range rapid.IntRange(1, 9).Draw(r, "records") {
		id, v := rapid.Int64Range(1, 12).Draw(r, "id"), rapid.Int64Range(0, 99).Draw(r, "value")
		record, row := e.row(id, v)
		records = append(records, record)
		to(id, row)
	}
	ok(e.t, write(e.t.Context(), records...))
}

func (e *evolving) remove(r *rapid.T) {
	e.mayPut(r)
	id := rapid.Int64Range(1, 12).Draw(r, "id")
	_, err := e.tbl.DeleteKeys(e.t.Context(), id)
	ok(e.t, err)
	delete(e.rows, id)
}

func (e *evolving) stage(r *rapid.T) {
	e.put(r, e.tbl.ScratchPut, func(id int64, row map[int]int64) { e.staged[id] = &row })
}

func (e *evolving) merge(*rapid.T) {
	ok(e.t, e.tbl.ScratchMerge(e.t.Context()))
	for id, row := range e.staged {
		e.rows[id] = *row
	}
	clear(e.staged)
}

// check reads by the owner and by a reader of some definition.
func (e *evolving) check(r *rapid.T) {
	attributes := rapid.SampledFrom([]string{"i", "ia", "bi", "dcbai"}).Draw(r, "reader")
	if e.readers[attributes] == nil {
		reader, err := table.OpenReader(e.t.Context(), e.rdb, defineThings(e.name, attributes, "iab"))
		ok(e.t, err)
		e.readers[attributes] = reader
	}
	wantThings(e.t, e.tbl, "i", e.all("i", e.attributes))
	wantThings(e.t, e.readers[attributes], "i", e.all("i", attributes))
	untilBuilt(e.t, e.tbl)
	for i := range e.indexes {
		name := e.indexes[i : i+1]
		wantThings(e.t, e.tbl, name, e.all(name, e.attributes))
	}
	if len(e.staged) == 0 {
		ok(e.t, e.tbl.WaitClear(e.t.Context()))
	}
	walk.Walk(e.t, e.rdb, e.name, indexNames(e.indexes)...)
}

// all returns all records in the order of an index, as a definition shows them.
func (e *evolving) all(index, attributes string) (records []thing) {
	score := func(id int64) int64 {
		seen := e.seen(id, e.rows[id], "iab")
		return map[string]int64{"i": seen.ID, "a": seen.A, "b": seen.B}[index]
	}
	ids := slices.SortedFunc(stdmaps.Keys(e.rows), func(x, y int64) int { return cmp.Or(cmp.Compare(score(x), score(y)), cmp.Compare(x, y)) })
	for _, id := range ids {
		records = append(records, e.seen(id, e.rows[id], attributes))
	}
	return records
}

// mayPut passes over a put that would wait for the end of a session.
func (e *evolving) mayPut(r *rapid.T) {
	if len(e.staged) > 0 {
		r.Skip("it would wait")
	}
}
