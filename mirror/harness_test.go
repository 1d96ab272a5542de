package mirror_test

import (
	"context"
	"iter"
	"math"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/internal/model"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/mirror"
	"github.com/tablecache-go/tablecache/table"
)

// item is the record of most tests. Its scores by "at" are mostly unique, those by "rank" mostly ties.
type item struct {
	ID       int64
	Name     string
	At, Rank float64
}

type (
	items   = table.Table[item, int64]
	mirrors = mirror.Mirror[item, int64]
	spec    = table.Spec[item]
	change  = mirror.Change[item, int64]
)

var inf = math.Inf(1)

func definition(name string) table.Definition[item, int64] {
	return table.Definition[item, int64]{
		Name:       name,
		PrimaryKey: table.Key(codec.Int64, func(i *item) int64 { return i.ID }),
		Attributes: []table.Attribute[item]{
			table.Field("id", codec.Int64, func(i *item) *int64 { return &i.ID }),
			table.Field("name", codec.String, func(i *item) *string { return &i.Name }),
			table.Field("at", codec.Float64, func(i *item) *float64 { return &i.At }),
			table.Field("rank", codec.Float64, func(i *item) *float64 { return &i.Rank }),
		},
		Indexes: []table.Index[item]{
			table.By("at", func(i *item) float64 { return i.At }),
			table.By("rank", func(i *item) float64 { return i.Rank }),
		},
	}
}

// schema is what a model has to know of items.
var schema = model.Schema[item]{
	Key: func(i *item) string {
		b, _ := codec.Int64.Append(nil, i.ID)
		return string(b)
	},
	Score: func(i *item, index string) float64 {
		if index == "at" {
			return i.At
		}
		return i.Rank
	},
	Equal: func(a, b *item) bool { return *a == *b },
}

// openOn opens a table that is closed when the test ends.
func openOn(t testing.TB, rdb redis.UniversalClient, name string, opts ...table.Option) *items {
	t.Helper()
	tbl, err := table.Open(t.Context(), rdb, definition(name), opts...)
	ok(t, err)
	t.Cleanup(func() { tbl.Close() })
	return tbl
}

// openItems opens a table of the test's own on the shared server.
func openItems(t testing.TB, opts ...table.Option) *items {
	t.Helper()
	return openOn(t, redistest.Shared(t).Client(t), redistest.Prefix(t), opts...)
}

// mirrorOn opens a mirror that is closed when the test ends.
func mirrorOn(t testing.TB, rdb redis.UniversalClient, name string, opts ...mirror.Option) *mirrors {
	t.Helper()
	m, err := mirror.Open(t.Context(), rdb, definition(name), opts...)
	ok(t, err)
	t.Cleanup(func() { m.Close() })
	return m
}

// mirrorOf opens a mirror of a table on the shared server.
func mirrorOf(t testing.TB, tbl *items, opts ...mirror.Option) *mirrors {
	t.Helper()
	return mirrorOn(t, redistest.Shared(t).Client(t), tbl.Name(), opts...)
}

// numbered returns items with keys from..to-1, whose rank is the key modulo 3.
func numbered(from, to int) (all []item) {
	for i := from; i < to; i++ {
		all = append(all, item{ID: int64(i), Name: "n" + strconv.Itoa(i), At: float64(10 * i), Rank: float64(i % 3)})
	}
	return all
}

func put(t testing.TB, tbl *items, records ...item) {
	t.Helper()
	ok(t, tbl.Put(t.Context(), records...))
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// catchUp waits until a mirror shows what a table has done.
func catchUp(t testing.TB, m *mirrors, tbl *items) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ok(t, m.WaitFor(ctx, tbl.Position()))
}

func all[R any](t testing.TB, seq iter.Seq2[R, error]) []R {
	t.Helper()
	records, err := table.Collect(seq)
	ok(t, err)
	return records
}

func keysOf(records []item) (keys []int64) {
	for i := range records {
		keys = append(keys, records[i].ID)
	}
	return keys
}

func wantItems(t testing.TB, what string, got, want []item) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %d items, want %d, or they differ:\n%v\n%v", what, len(got), len(want), keysOf(got), keysOf(want))
	}
}

// patience is how long a test waits for what must come: it only shows when something is broken.
const patience = 30 * time.Second

// until waits for a condition that some other goroutine brings about.
func until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("waited too long for %s", what)
		}
	}
}

// receive returns what comes through c.
func receive[T any](t testing.TB, what string, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatalf("waited too long for %s", what)
	}
	return v
}
