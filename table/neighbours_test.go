package table_test

import (
	"errors"
	"fmt"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// closeNames are names that nearly are, or hold, one another.
func closeNames(p string) []string {
	return []string{p, p + ":", p + ":r", p + ":m", p + ":s", p + ":r:m", p + ":i-at", p + ":x.at", p + "{1}", p + "{2}", p + ".", "x" + p}
}

func TestTablesWithCloseNamesNeverTouchEachOther(t *testing.T) {
	t.Parallel()
	rdb := redistest.Shared(t).Client(t)
	var tables []*items
	for n, name := range closeNames(redistest.Prefix(t)) {
		tbl := openOn(t, rdb, name)
		put(t, tbl, numbered(n, n+3)...)
		tables = append(tables, tbl)
	}
	check := func(changed int, want ...int64) {
		t.Helper()
		for n, tbl := range tables {
			if first := int64(n); n != changed {
				wantIDs(t, tbl, tbl.All("at"), first, first+1, first+2)
				wantIDs(t, tbl, tbl.Range("rank", 0, 1), first+(3-first%3)%3)
			} else {
				wantIDs(t, tbl, tbl.All("at"), want...)
			}
		}
	}
	for n, tbl := range tables {
		first := int64(n)
		put(t, tbl, item{ID: 77, At: -1, Rank: 5})
		ok(t, tbl.ScratchPut(t.Context(), item{ID: 78, At: 1e6, Rank: 5}))
		check(n, 77, first, first+1, first+2)
		mergeAndFold(t, tbl)
		check(n, 77, first, first+1, first+2, 78)
		ok(t, tbl.Clear(t.Context()))
		check(n)
		put(t, tbl, numbered(n, n+3)...)
		again := openOn(t, rdb, tbl.Name()) // fences nobody else
		wantIDs(t, again, again.All("at"), first, first+1, first+2)
		tables[n] = again
	}
}

func TestClearAndResetDropTheTablesKeysAlone(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	rdb := server.Client(t)
	name := redistest.Prefix(t)
	foreign := []string{name, name + "r", name + ":R", name + ":r2", name + ":i", name + ":i:", name + ":i:other", name + ":x:other", "r", "*", name + "*"}
	for _, key := range foreign {
		ok(t, rdb.Set(t.Context(), key, "mine", 0).Err())
	}
	tbl, err := table.Open(t.Context(), rdb, itemDefinition(name))
	ok(t, err)
	put(t, tbl, numbered(0, 5)...)
	ok(t, tbl.ScratchPut(t.Context(), numbered(5, 9)...))
	ok(t, tbl.Clear(t.Context()))
	wantKeys(t, rdb, len(foreign)+2) // and the truth, and the feed
	put(t, tbl, numbered(0, 5)...)
	ok(t, tbl.Close())
	tbl, err = table.Open(t.Context(), rdb, itemDefinition(name), table.WithReset())
	ok(t, err)
	ok(t, tbl.Close())
	wantKeys(t, rdb, len(foreign)+2)
	for _, key := range foreign {
		if got := rdb.Get(t.Context(), key).Val(); got != "mine" {
			t.Errorf("%s has changed", key)
		}
	}
}

func wantKeys(t testing.TB, rdb *redis.Client, want int) {
	t.Helper()
	if n, err := rdb.DBSize(t.Context()).Result(); err != nil || int(n) != want {
		t.Errorf("%d keys (%v), want %d", n, err, want)
	}
}

// U14: in the original table t with index r, and table t:i, share a key.
func TestU14_NamesThatCouldShareAKeyAreRefused(t *testing.T) {
	t.Parallel()
	rdb, sent := counted(t)
	p := redistest.Prefix(t)
	for _, name := range []string{p + ":i", p + ":x", p + ":i:at", p + ":x:at", p + ":i:", ":i:" + p, p + ":x:r:i"} {
		if _, err := table.Open(t.Context(), rdb, itemDefinition(name)); !errors.Is(err, table.ErrInvalidDefinition) {
			t.Errorf("%s: got %v, want ErrInvalidDefinition", name, err)
		}
	}
	if n := sent.n.Load(); n != 0 {
		t.Errorf("%d commands were sent", n)
	}
}

func TestTablesWorkAtTheSameTime(t *testing.T) {
	t.Parallel()
	var group errgroup.Group
	for range 5 {
		tbl := openItems(t)
		group.Go(func() error {
			for n := range 10 {
				if err := workOnce(t, tbl, n); err != nil {
					return fmt.Errorf("round %d: %w", n, err)
				}
			}
			return nil
		})
	}
	ok(t, group.Wait())
}

// workOnce adds ten items by a Put and ten by a merge, and expects all of those before.
func workOnce(t *testing.T, tbl *items, n int) error {
	err := tbl.Put(t.Context(), numbered(20*n, 20*n+10)...)
	if err == nil {
		err = tbl.ScratchPut(t.Context(), numbered(20*n+10, 20*n+20)...)
	}
	if err == nil {
		err = tbl.ScratchMerge(t.Context())
	}
	if err != nil {
		return err
	}
	got, err := tbl.Count(t.Context(), tbl.All("at"))
	if err == nil && got != 20*n+20 {
		err = fmt.Errorf("%d records, want %d", got, 20*n+20)
	}
	return err
}

// No two tables share a key.
func TestU14_TablesShareNoKey(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	for _, other := range []string{name + ":i", name + ":x", name + ":i:r", name + ":x:at"} {
		if _, err := table.Open(t.Context(), rdb, itemDefinition(other)); !errors.Is(err, table.ErrInvalidDefinition) {
			t.Errorf("%s: got %v, want ErrInvalidDefinition", other, err)
		}
	}
	def := itemDefinition(name)
	def.Indexes = append(def.Indexes, table.By("r", func(i *item) float64 { return i.At }))
	one := open(t, rdb, def, []string{"at", "rank", "r"})
	two := openOn(t, rdb, name+":r")
	put(t, one, numbered(0, 2)...)
	put(t, two, numbered(5, 7)...)
	wantIDs(t, one, one.All("r"), 0, 1)
	wantIDs(t, two, two.All("at"), 5, 6)
}
