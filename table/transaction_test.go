package table_test

import (
	"errors"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// paths counts by which way rows were stored, as the server tells: in a transaction, in one that was void or had nothing in it,
// as is sent before a script on the same connection, by a script.
type paths struct{ transaction, void, script int }

var storingCalls = regexp.MustCompile(`cmdstat_(eval|evalsha|exec):calls=(\d+)`)

// took returns the paths since the statistics were last reset, and resets them.
func took(t testing.TB, rdb *redis.Client) paths {
	t.Helper()
	text, err := rdb.Info(t.Context(), "commandstats").Result()
	ok(t, err)
	ok(t, rdb.ConfigResetStat(t.Context()).Err())
	n := make(map[string]int)
	for _, found := range storingCalls.FindAllStringSubmatch(text, -1) {
		n[found[1]], _ = strconv.Atoi(found[2])
	}
	return paths{transaction: n["eval"], void: n["exec"] - n["eval"], script: n["evalsha"]}
}

func wantPaths(t testing.TB, rdb *redis.Client, want paths) {
	t.Helper()
	if got := took(t, rdb); got != want {
		t.Errorf("took %+v, want %+v", got, want)
	}
}

// openWithTransactions opens a table on a server of its own, and stores something so that the writer has its connection.
func openWithTransactions(t testing.TB) (*items, *redis.Client) {
	t.Helper()
	rdb := redistest.Start(t, redistest.Options{}).Client(t)
	tbl := openOn(t, rdb, "t", table.WithLease(time.Hour)) // a renewal changes what a transaction watches
	put(t, tbl, numbered(0, 2)...)
	took(t, rdb)
	return tbl, rdb
}

func TestG9_ABatchThatMeetsAChangeGoesByScript(t *testing.T) {
	t.Parallel()
	tbl, rdb := openWithTransactions(t)
	put(t, tbl, numbered(0, 2)...)
	put(t, tbl, numbered(2, 4)...)
	wantPaths(t, rdb, paths{transaction: 2})
	for _, key := range []string{":m", ":r", ":i:at", ":i:rank"} { // as they were, but touched
		switch seq := rdb.HGet(t.Context(), tbl.Name()+":m", "seq").Val(); key {
		case ":m":
			ok(t, rdb.HSet(t.Context(), tbl.Name()+key, "seq", seq).Err())
		case ":r":
			row := rdb.HGet(t.Context(), tbl.Name()+key, rawKey(0)).Val()
			ok(t, rdb.HSet(t.Context(), tbl.Name()+key, rawKey(0), row).Err())
		default:
			ok(t, rdb.ZAdd(t.Context(), tbl.Name()+key, redis.Z{Score: 1, Member: "x"}).Err())
			ok(t, rdb.ZRem(t.Context(), tbl.Name()+key, "x").Err())
		}
		put(t, tbl, numbered(4, 6)...)
		put(t, tbl, numbered(6, 8)...)
		wantPaths(t, rdb, paths{transaction: 1, void: 2, script: 1})
	}
	wantIDs(t, tbl, tbl.All("at"), 0, 1, 2, 3, 4, 5, 6, 7)
}

func TestATransactionTakesAllThatOnlyStoresOrDeletes(t *testing.T) {
	t.Parallel()
	tbl, rdb := openWithTransactions(t)
	put(t, tbl, numbered(0, 9)...)
	n, err := tbl.Delete(t.Context(), tbl.Range("at", 0, 20).Where(func(*item) bool { return true }))
	ok(t, err)
	ok(t, tbl.ScratchPut(t.Context(), numbered(5, 12)...))
	m, err := tbl.ScratchDiscard(t.Context(), tbl.Range("at", 20, 60))
	ok(t, err)
	wantPaths(t, rdb, paths{transaction: 3, script: 1}) // a discard by place is a script
	if n != 2 || m != 4 {
		t.Errorf("deleted %d and discarded %d, want 2 and 4", n, m)
	}
	mergeAndFold(t, tbl)
	wantIDs(t, tbl, tbl.All("at"), 6, 7, 8, 9, 10, 11)
	took(t, rdb)
	put(t, tbl, numbered(0, 1)...) // the merge and the fold have changed everything since
	put(t, tbl, numbered(1, 2)...)
	wantPaths(t, rdb, paths{transaction: 1, void: 1, script: 1})
}

// An update of what nobody has written since it was read compares nothing.
func TestW3_ATransactionTakesWhatNeedsNoComparing(t *testing.T) {
	t.Parallel()
	tbl, rdb := openWithTransactions(t)
	ok(t, tbl.Apply(t.Context(), batch{Put: numbered(0, 9), Delete: []int64{50, 51}}))
	ok(t, tbl.Apply(t.Context(), batch{Delete: []int64{8}, Note: []byte("n")}))
	ok(t, tbl.Apply(t.Context(), batch{Note: []byte("m")}))
	wantPaths(t, rdb, paths{transaction: 3})
	ok(t, tbl.Update(t.Context(), 3, renamed("u")))
	wantPaths(t, rdb, paths{transaction: 1, script: 1}) // the script is the look-up
	other := true
	ok(t, tbl.Update(t.Context(), 3, func(i *item) error {
		if i.Name += "v"; !other {
			return nil
		}
		other = false
		return tbl.Put(t.Context(), item{ID: 5})
	}))
	wantPaths(t, rdb, paths{transaction: 1, script: 2})
	got, err := tbl.Get(t.Context(), 3)
	ok(t, err)
	if got.Name != "uv" {
		t.Errorf("got %+v", got)
	}
}

func TestG8_ALaterOwnerEndsTheTransactions(t *testing.T) {
	t.Parallel()
	tbl, rdb := openWithTransactions(t)
	put(t, tbl, numbered(0, 2)...)
	later := openOn(t, rdb, tbl.Name())
	put(t, later, numbered(2, 3)...)
	before := dump(t, rdb, tbl.Name())
	took(t, rdb)
	if err := tbl.Put(t.Context(), numbered(0, 9)...); !errors.Is(err, table.ErrFenced) {
		t.Errorf("got %v, want ErrFenced", err)
	}
	wantPaths(t, rdb, paths{void: 2, script: 1})
	wantUntouched(t, rdb, tbl.Name(), before)
}

// Where the client's pool is small there are no transactions, and everything works without.
func TestASmallPoolHasNoTransactions(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	rdb := server.TCPClient(t, func(o *redis.Options) { o.PoolSize = 1 })
	tbl := openOn(t, rdb, "t")
	took(t, rdb)
	for range 3 {
		put(t, tbl, numbered(0, 9)...)
	}
	wantPaths(t, rdb, paths{script: 3})
	wantIDs(t, tbl, tbl.Range("at", 0, 20), 0, 1)
}
