package table_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/internal/walk"
	"github.com/tablecache-go/tablecache/table"
)

// mergedOnly is a table with three rows that are merged and not folded before the brake is released. Its keys are not walked at the end.
func mergedOnly(t *testing.T, rdb *redis.Client, name string) (*items, *brake) {
	t.Helper()
	b := newBrake(t)
	tbl := openUnwalked(t, rdb, name, table.WithCleanup(b.pool))
	ok(t, tbl.ScratchPut(t.Context(), numbered(0, 3)...))
	merge(t, tbl)
	return tbl, b
}

// halfFolded is a table with 600 merged rows, of which 100 are hidden by tombstones and 500 by staged rows with other scores, some
// of which are copied. before, if not nil, is called when the merge has begun.
func halfFolded(t *testing.T, rdb *redis.Client, name string, before func(*items)) (*items, *brake, []item) {
	t.Helper()
	b := newBrake(t)
	tbl := openOn(t, rdb, name, table.WithCleanup(b.pool))
	put(t, tbl, numbered(0, 600)...)
	after := numbered(0, 500)
	for i := range after {
		after[i].Name, after[i].Rank = "new", float64(i%7)
	}
	ok(t, tbl.ScratchPut(t.Context(), after...))
	ok(t, discard(5000, 6000)(t.Context(), tbl))
	merge(t, tbl)
	if before != nil {
		before(tbl)
	}
	b.turnUntilHalf(t, tbl)
	return tbl, b, after
}

// A fold copies: what is staged stays until the end, and goes then. In between nothing is wrong, and the counts hold.
func TestD13_StagedRowsStayUntilAllIsCopied(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	var before map[string]any
	tbl, b, after := halfFolded(t, rdb, name, func(*items) { before = dump(t, rdb, name) })
	wantUntouched(t, rdb, name, before, ":s", ":x:at", ":x:rank")
	if row := rdb.HGet(t.Context(), name+":r", rawKey(0)).Val(); row != before[":s"].(map[string]string)[rawKey(0)] {
		t.Error("the first row is not copied")
	}
	ok(t, walk.Check(t.Context(), rdb, name, []string{"at", "rank"}))
	wantProblems(t, tbl)
	wantItems(t, all(t, tbl.Records(t.Context(), tbl.All("at"))), after)
	b.release()
	ok(t, tbl.WaitClear(t.Context()))
	if left := rdb.Exists(t.Context(), name+":s", name+":x:at", name+":x:rank").Val(); left != 0 {
		t.Errorf("%d keys of the scratch space are left", left)
	}
	wantItems(t, all(t, tbl.Records(t.Context(), tbl.All("at"))), after)
}

// An owner relies on nothing that a fold of an earlier one has done.
func TestD13_AfterATakeOverAllIsCopied(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl, _, after := halfFolded(t, rdb, name, nil)
	ok(t, tbl.Close())
	for _, key := range []string{name + ":i:at", name + ":i:rank"} {
		ok(t, rdb.ZRem(t.Context(), key, rawKey(0)).Err())
	}
	ok(t, rdb.HDel(t.Context(), name+":r", rawKey(0)).Err())
	ok(t, rdb.HIncrBy(t.Context(), name+":m", "count", -1).Err())
	next := openOn(t, rdb, name)
	ok(t, next.WaitClear(t.Context()))
	wantItems(t, all(t, next.Records(t.Context(), next.All("at"))), after)
}

// Repair may put an entry in front of what is copied. Then all is copied again.
func TestD13_AfterRepairAllIsCopied(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl, b, after := halfFolded(t, rdb, name, func(*items) {
		ok(t, rdb.ZRem(t.Context(), name+":x:at", rawKey(0)).Err())
		ok(t, rdb.ZAdd(t.Context(), name+":x:at", redis.Z{Score: 1e9, Member: "stranger"}).Err()) // the counts still hold
	})
	mended, err := tbl.Repair(t.Context())
	ok(t, err)
	if len(mended.Problems) != 2 {
		t.Errorf("mended %+v, want an entry made and one dropped", mended.Problems)
	}
	b.release()
	ok(t, tbl.WaitClear(t.Context()))
	wantItems(t, all(t, tbl.Records(t.Context(), tbl.All("at"))), after)
}

// A server that has lost some of a fold's steps, and no effect, has lost them whole: the fold goes on from where that server is.
func TestD13_AServerThatHasLostStepsOfTheFold(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	var before map[string]string
	tbl, b, after := halfFolded(t, rdb, name, func(*items) { before = dumped(t, rdb, name) })
	for key, contents := range before {
		ok(t, rdb.RestoreReplace(t.Context(), key, 0, contents).Err())
	}
	b.release()
	ok(t, tbl.WaitClear(t.Context()))
	wantItems(t, all(t, tbl.Records(t.Context(), tbl.All("at"))), after)
}

// A staged row without an entry is no tombstone: it is not thrown away, and the fold does not look for tombstones for ever.
func TestD13_AStagedRowWithoutAnEntryIsLost(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl, b := mergedOnly(t, rdb, name)
	for _, index := range []string{"at", "rank"} {
		ok(t, rdb.ZRem(t.Context(), name+":x:"+index, rawKey(1)).Err())
	}
	ok(t, rdb.HSet(t.Context(), name+":m", "live", "2").Err()) // the counts hold
	b.release()
	if err := tbl.WaitClear(t.Context()); !errors.Is(err, table.ErrLost) {
		t.Errorf("got %v, want ErrLost", err)
	}
	if !rdb.HExists(t.Context(), name+":s", rawKey(1)).Val() {
		t.Error("the row is gone")
	}
}

// A step reads no more than some bytes at once: wide rows are copied one by one, and no answer changes.
func TestD13_WideRows(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	b := newBrake(t)
	tbl := openOn(t, rdb, name, table.WithCleanup(b.pool))
	wide := numbered(0, 8)
	for i := range wide {
		wide[i].Name = strings.Repeat("w", 150<<10)
	}
	ok(t, tbl.ScratchPut(t.Context(), wide...))
	merge(t, tbl)
	b.turn(t)
	if st := stats(t, tbl); st.Records != 2 || st.Staged != 6 {
		t.Errorf("after one step %d rows are merged and %d are not, want 2 and 6", st.Records, st.Staged)
	}
	wantItems(t, all(t, tbl.Records(t.Context(), tbl.All("at"))), wide)
	b.release()
	ok(t, tbl.WaitClear(t.Context()))
	wantItems(t, all(t, tbl.Records(t.Context(), tbl.All("at"))), wide)
}
