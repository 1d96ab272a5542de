package table_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// pathHook notes by which way rows were stored: "lane" for a transaction that was executed, "void" for one that was not,
// "script" for a script.
type pathHook struct {
	counter
	mu    sync.Mutex // guards paths
	paths []string
}

func (h *pathHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := next(ctx, cmds)
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, cmd := range cmds {
			switch {
			case cmd.Name() == "exec" && len(cmds) > 5 && cmd.Err() == nil:
				h.paths = append(h.paths, "lane")
			case cmd.Name() == "exec" && len(cmds) > 5:
				h.paths = append(h.paths, "void")
			case cmd.Name() == "evalsha" && cmds[len(cmds)-1].Name() == "multi":
				h.paths = append(h.paths, "script")
			}
		}
		return err
	}
}

// took returns the paths since it was last asked.
func (h *pathHook) took() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	paths := h.paths
	h.paths = nil
	return paths
}

func (h *pathHook) want(t testing.TB, paths ...string) {
	t.Helper()
	if got := h.took(); !slices.Equal(got, paths) {
		t.Errorf("took %v, want %v", got, paths)
	}
}

func openOnLane(t testing.TB) (*items, *redis.Client, *pathHook) {
	t.Helper()
	rdb, h := redistest.Shared(t).Client(t), &pathHook{}
	rdb.AddHook(h)
	return openOn(t, rdb, redistest.Prefix(t)), rdb, h
}

func TestG9_ABatchThatMeetsAChangeGoesByScript(t *testing.T) {
	t.Parallel()
	tbl, rdb, path := openOnLane(t)
	put(t, tbl, numbered(0, 2)...)
	put(t, tbl, numbered(2, 4)...)
	path.want(t, "lane", "lane")
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
		path.want(t, "void", "script", "lane")
	}
	wantIDs(t, tbl, tbl.All("at"), 0, 1, 2, 3, 4, 5, 6, 7)
}

func TestTheLaneTakesAllThatOnlyStoresOrDeletes(t *testing.T) {
	t.Parallel()
	tbl, _, path := openOnLane(t)
	put(t, tbl, numbered(0, 9)...)
	put(t, tbl, numbered(0, 9)...)
	n, err := tbl.Delete(t.Context(), tbl.Range("at", 0, 20))
	ok(t, err)
	ok(t, tbl.ScratchPut(t.Context(), numbered(5, 12)...))
	m, err := tbl.ScratchDiscard(t.Context(), tbl.Range("at", 20, 60))
	ok(t, err)
	path.want(t, "lane", "lane", "lane", "lane", "lane")
	if n != 2 || m != 4 {
		t.Errorf("deleted %d and discarded %d, want 2 and 4", n, m)
	}
	mergeAndFold(t, tbl)
	wantIDs(t, tbl, tbl.All("at"), 6, 7, 8, 9, 10, 11)
	path.took()
	put(t, tbl, numbered(0, 1)...) // the merge and the fold have changed everything since
	put(t, tbl, numbered(1, 2)...)
	path.want(t, "script", "lane")
}

func TestG8_ALaterOwnerEndsTheLane(t *testing.T) {
	t.Parallel()
	tbl, rdb, path := openOnLane(t)
	put(t, tbl, numbered(0, 2)...)
	later := openOn(t, redistest.Shared(t).Client(t), tbl.Name())
	put(t, later, numbered(2, 3)...)
	before := dump(t, rdb, tbl.Name())
	if err := tbl.Put(t.Context(), numbered(0, 9)...); !errors.Is(err, table.ErrFenced) {
		t.Errorf("got %v, want ErrFenced", err)
	}
	path.want(t, "lane", "void", "script")
	wantUntouched(t, rdb, tbl.Name(), before)
}

// Where the client's pool is small there is no lane, and everything works without.
func TestASmallPoolHasNoLane(t *testing.T) {
	t.Parallel()
	h := &pathHook{}
	rdb := redistest.Shared(t).TCPClient(t, func(o *redis.Options) { o.PoolSize = 1 })
	rdb.AddHook(h)
	tbl := openOn(t, rdb, redistest.Prefix(t))
	for range 3 {
		put(t, tbl, numbered(0, 9)...)
	}
	h.want(t)
	wantIDs(t, tbl, tbl.Range("at", 0, 20), 0, 1)
}
