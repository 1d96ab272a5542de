package table_test

import (
	"iter"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/internal/walk"
	"github.com/tablecache-go/tablecache/table"
)

// item is the record of most tests. Its scores by "at" are mostly unique, those by "rank" mostly ties.
type item struct {
	ID   int64
	Name string
	At   float64
	Rank float64
	Note *string
	Tags []string
}

type items = table.Table[item, int64]

type batch = table.Batch[item, int64]

type scratch = table.Scratch[item, int64]

// renamed gives an item another name.
func renamed(name string) func(*item) error {
	return func(i *item) error { i.Name = name; return nil }
}

func itemDefinition(name string) table.Definition[item, int64] {
	return table.Definition[item, int64]{
		Name:       name,
		PrimaryKey: table.Key(codec.Int64, func(i *item) int64 { return i.ID }),
		Attributes: []table.Attribute[item]{
			table.Field("id", codec.Int64, func(i *item) *int64 { return &i.ID }),
			table.Field("name", codec.String, func(i *item) *string { return &i.Name }),
			table.Field("at", codec.Float64, func(i *item) *float64 { return &i.At }),
			table.Field("rank", codec.Float64, func(i *item) *float64 { return &i.Rank }),
			table.Field("note", codec.Nullable(codec.String), func(i *item) **string { return &i.Note }),
			table.Field("tags", codec.Array(codec.String), func(i *item) *[]string { return &i.Tags }),
		},
		Indexes: []table.Index[item]{
			table.By("at", func(i *item) float64 { return i.At }),
			table.By("rank", func(i *item) float64 { return i.Rank }),
		},
	}
}

// openItems opens a table of the test's own on the shared server, as a user that may do no more than the README says.
func openItems(t testing.TB, opts ...table.Option) *items {
	t.Helper()
	s, name := redistest.Shared(t), redistest.Prefix(t)
	return openAs(t, limited(t, s, name, aclRule(t, name)), s.Client(t), itemDefinition(name), []string{"at", "rank"}, opts...)
}

func openOn(t testing.TB, rdb redis.UniversalClient, name string, opts ...table.Option) *items {
	t.Helper()
	return open(t, rdb, itemDefinition(name), []string{"at", "rank"}, opts...)
}

// open opens a table that is closed, and whose keys are walked, when the test ends.
func open[R any, K comparable](t testing.TB, rdb redis.UniversalClient, def table.Definition[R, K], indexes []string,
	opts ...table.Option) *table.Table[R, K] {
	t.Helper()
	return openAs(t, rdb, rdb, def, indexes, opts...)
}

// openAs opens a table on one client and walks its keys on another.
func openAs[R any, K comparable](t testing.TB, rdb, walker redis.UniversalClient, def table.Definition[R, K], indexes []string,
	opts ...table.Option) *table.Table[R, K] {
	t.Helper()
	tbl, err := table.Open(t.Context(), rdb, def, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		walk.Walk(t, walker, def.Name, indexes...)
		if _, is := any(tbl).(*items); is {
			checkScores(t, walker, def.Name)
		}
	})
	t.Cleanup(func() { tbl.Close() })
	return tbl
}

// numbered returns items with keys from..to-1, whose rank is the key modulo 3.
func numbered(from, to int) []item {
	var all []item
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

// all returns what a sequence yields, which must not be an error.
func all[R any](t testing.TB, seq iter.Seq2[R, error]) []R {
	t.Helper()
	var records []R
	for r, err := range seq {
		ok(t, err)
		records = append(records, r)
	}
	return records
}

// lastError returns the error that a sequence ends with.
func lastError[R any](seq iter.Seq2[R, error]) (last error) {
	for _, err := range seq {
		last = err
	}
	return last
}

func keysOf(records []item) []int64 {
	keys := make([]int64, 0, len(records))
	for i := range records {
		keys = append(keys, records[i].ID)
	}
	return keys
}

// ids returns the keys of the records of a spec, in their order.
func ids(t testing.TB, tbl *items, s table.Spec[item]) []int64 {
	t.Helper()
	return keysOf(all(t, tbl.Records(t.Context(), s)))
}

// wantIDs checks a read and that Count agrees with it.
func wantIDs(t testing.TB, tbl *items, s table.Spec[item], want ...int64) {
	t.Helper()
	if got := ids(t, tbl, s); !slices.Equal(got, want) {
		t.Errorf("read %v of %s: got %v, want %v", s.Intervals, s.Index, got, want)
	}
	n, err := tbl.Count(t.Context(), s)
	ok(t, err)
	if n != len(want) {
		t.Errorf("count %v of %s: got %d, want %d", s.Intervals, s.Index, n, len(want))
	}
}

// wantItems compares what was read with what was written, and names the first difference.
func wantItems(t testing.TB, got, want []item) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		if i == len(got) || i == len(want) {
			t.Errorf("got %d items, want %d", len(got), len(want))
			return
		}
		if w := withTags(want[i]); !reflect.DeepEqual(got[i], w) {
			t.Errorf("item %d of %d: got %+v, want %+v", i, len(want), got[i], w)
			return
		}
	}
}

func stats(t testing.TB, tbl *items) table.Stats {
	t.Helper()
	s, err := tbl.Stats(t.Context())
	ok(t, err)
	return s
}

func wantState(t testing.TB, tbl *items, want table.State) {
	t.Helper()
	if got := stats(t, tbl).State; got != want {
		t.Errorf("state is %v, want %v", got, want)
	}
}

// patience is how long a test waits for what must come: it only shows when something is broken.
const patience = 20 * time.Second

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

// async runs a call in a goroutine and returns where its error will be.
func async(t testing.TB, call func() error) <-chan error {
	done, end := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(end)
		done <- call()
	}()
	t.Cleanup(func() { receive(t, "a call to end", end) })
	return done
}

// withTags returns an item as it comes back from a read: an array without elements is empty, not nil.
func withTags(i item) item {
	if i.Tags == nil {
		i.Tags = []string{}
	}
	return i
}
