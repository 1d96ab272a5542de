package table_test

import (
	"context"
	"io"
	"slices"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// Without a predicate records are deleted step by step inside Redis, behind the last one, whatever ties there are.
func TestD14_DeleteByPlace(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 5000)...)
	spec := table.Spec[item]{Index: "rank", Intervals: []table.Interval{{GE: 1, LT: 2}, {GE: 0, LT: 1}}}
	n, err := tbl.Delete(t.Context(), spec)
	ok(t, err)
	if n != 3334 {
		t.Errorf("%d were deleted, want 3334", n)
	}
	n, err = tbl.Count(t.Context(), tbl.All("at"))
	ok(t, err)
	if n != 1666 {
		t.Errorf("%d are left, want 1666", n)
	}
	n, err = tbl.Delete(t.Context(), table.Spec[item]{Index: "rank"})
	ok(t, err)
	if n != 0 {
		t.Errorf("no interval: %d were deleted", n)
	}
}

// Everything goes in one step, and the note stays.
func TestD14_DeleteOfEverythingIsOneStep(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl := openOn(t, rdb, name)
	put(t, tbl, numbered(0, 5000)...)
	ok(t, tbl.Apply(t.Context(), table.Batch[item, int64]{Note: []byte("kept")}))
	before := rdb.HGet(t.Context(), name+":m", "seq").Val()
	n, err := tbl.Delete(t.Context(), tbl.All("at"))
	ok(t, err)
	if n != 5000 {
		t.Errorf("%d were deleted, want 5000", n)
	}
	if got := rdb.HGet(t.Context(), name+":m", "seq").Val(); len(got) != len(before) || got[0] != before[0]+1 {
		t.Errorf("the number is %s after %s: not one effect", got, before)
	}
	note, err := tbl.Note(t.Context())
	ok(t, err)
	if string(note) != "kept" {
		t.Errorf("the note is %q", note)
	}
	wantIDs(t, tbl, tbl.All("rank"))
	put(t, tbl, numbered(0, 2)...)
	wantIDs(t, tbl, tbl.All("at"), 0, 1)
}

// answersLost loses the answers to all steps of deletions by place.
type answersLost struct{ counter }

func (*answersLost) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if err == nil && slices.Contains(cmd.Args(), any(1000)) { // how many a step deletes: nothing else has that here
			cmd.SetErr(io.EOF)
			return io.EOF
		}
		return err
	}
}

// A step whose answer is lost is settled: how many it has deleted, and where to go on, stand in the truth.
func TestD14_AStepIsSettled(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl := openOn(t, rdb, name)
	put(t, tbl, numbered(0, 3500)...)
	rdb.AddHook(new(answersLost))
	n, err := tbl.Delete(t.Context(), tbl.Range("rank", 0, 5))
	ok(t, err)
	if n != 3500 {
		t.Errorf("%d were deleted, want 3500", n)
	}
	put(t, tbl, numbered(0, 10)...)
	if n, err = tbl.Delete(t.Context(), tbl.All("rank")); err != nil || n != 10 {
		t.Errorf("got %d, %v, want 10", n, err)
	}
}

// tornBy fails if one step of a removal of 1,500 records has changed something though its user has lost the right for a command. prepare
// does what goes before.
func tornBy(t *testing.T, s *redistest.Server, command string, prepare func(*items), remove func(*items) (int, error)) {
	t.Helper()
	name := redistest.Prefix(t)
	admin, rdb := s.Client(t), limited(t, s, name, aclRule(t, name))
	tbl := openLimited(t, admin, rdb, name)
	put(t, tbl, numbered(0, 1500)...)
	prepare(tbl)
	before := dump(t, admin, name)
	setUser(t, admin, name, "-"+command)
	if _, err := remove(tbl); !wire.IsForbidden(err) {
		t.Errorf("got %v, want a refusal", err)
	}
	wantUntouched(t, admin, name, before)
	setUser(t, admin, name, "+"+command)
	if n, err := remove(tbl); err != nil || n != 1500 {
		t.Errorf("%d were removed (%v), want 1500", n, err)
	}
}

// Without a user's right for one of the commands a deletion by place changes nothing.
func TestD14_APermissionLostAtRunTimeTearsNoDeletion(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{})
	for _, command := range []string{"zrange", "zscore", "hdel", "zrem", "hset", "unlink", "xadd"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			tornBy(t, s, command, func(*items) {},
				func(tbl *items) (int, error) { return tbl.Delete(t.Context(), tbl.Range("at", 0, 1e6)) })
		})
	}
}

// A step that finds nothing tells that: followers need not copy the table for it.
func TestD14_AStepOfNothingIsTold(t *testing.T) {
	t.Parallel()
	f := newFed(t)
	put(t, f.table, numbered(0, 1000)...)
	for _, s := range []table.Spec[item]{f.table.Range("at", -20, -10), f.table.Range("at", 0, 1e6)} { // the second has a last step of nothing
		_, err := f.table.Delete(t.Context(), s)
		ok(t, err)
	}
	for _, e := range f.read() {
		if !e.IsTold() {
			t.Errorf("%d, a %s, is not told", e.At.Seq, e.Kind)
		}
	}
}
