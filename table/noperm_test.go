package table_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/internal/walk"
	"github.com/tablecache-go/tablecache/table"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// mutation is a write, and what must be staged before it.
type mutation struct {
	staged  bool
	through table.Option // nil: the table has not WithWriteThrough
	do      func(context.Context, *items) error
}

func mutations() map[string]mutation {
	one := func(_ int, err error) error { return err }
	return map[string]mutation{
		"put":    {do: func(ctx context.Context, i *items) error { return i.Put(ctx, numbered(5, 15)...) }},
		"delete": {do: func(ctx context.Context, i *items) error { return one(i.DeleteKeys(ctx, 1, 2)) }},
		"apply": {do: func(ctx context.Context, i *items) error {
			return i.Apply(ctx, batch{Put: numbered(5, 15), Delete: []int64{1, 2}, Note: []byte("n")})
		}},
		"update": {do: func(ctx context.Context, i *items) error {
			return i.Update(ctx, 1, func(i *item) error { i.Rank++; return nil })
		}},
		"stage":   {do: func(ctx context.Context, i *items) error { return i.ScratchPut(ctx, numbered(5, 15)...) }},
		"discard": {do: func(ctx context.Context, i *items) error { return one(i.ScratchDiscard(ctx, i.Range("at", 0, 30))) }},
		"merge":   {staged: true, do: func(ctx context.Context, i *items) error { return i.ScratchMerge(ctx) }},
		"abort":   {staged: true, do: func(ctx context.Context, i *items) error { return i.ScratchAbort(ctx) }},
		"clear":   {staged: true, do: func(ctx context.Context, i *items) error { return i.Clear(ctx) }},
	}
}

// withThrough returns mutations, and those that can be written through a session once more.
func withThrough(all map[string]mutation) map[string]mutation {
	for _, what := range []string{"put", "delete", "apply", "update"} {
		all[what+" through"] = mutation{staged: true, through: table.WithWriteThrough(), do: all[what].do}
	}
	return all
}

func stageSome(t testing.TB, tbl *items) {
	t.Helper()
	ok(t, tbl.ScratchPut(t.Context(), numbered(8, 12)...))
	_, err := tbl.ScratchDiscard(t.Context(), tbl.Range("at", 0, 30))
	ok(t, err)
}

// commandsIn returns the commands of an ACL rule.
func commandsIn(rule []string) (all []string) {
	for _, part := range rule {
		if command, is := strings.CutPrefix(part, "+"); is && !strings.Contains(command, "info") {
			all = append(all, command)
		}
	}
	return all
}

// Whatever command is taken from the table's user while it works: a write is whole or it is not there, and all goes on
// when the user has it back.
func TestG2_APermissionLostAtRunTimeTearsNoWrite(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{})
	for what, m := range withThrough(mutations()) {
		for _, command := range commandsIn(aclRule(t, "")) {
			t.Run(what+" without "+command, func(t *testing.T) {
				t.Parallel()
				name := redistest.Prefix(t)
				admin, rdb := s.Client(t), limited(t, s, name, aclRule(t, name))
				var opts []table.Option
				if m.through != nil {
					opts = append(opts, m.through)
				}
				tbl := openLimited(t, admin, rdb, name, opts...)
				put(t, tbl, numbered(0, 10)...)
				if m.staged {
					stageSome(t, tbl)
				}
				before := dump(t, admin, name)
				setUser(t, admin, name, "-"+command)
				ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
				defer cancel()
				err := m.do(ctx, tbl)
				after := dump(t, admin, name)
				if err != nil && !reflect.DeepEqual(before, after) {
					t.Errorf("a write that was refused (%v) has changed the table", err)
				}
				if err != nil && !wire.IsForbidden(err) && !errors.Is(err, table.ErrUnknownOutcome) {
					t.Errorf("got %v, want the refusal", err)
				}
				setUser(t, admin, name, "+"+command)
				ok(t, m.do(t.Context(), tbl))
				mergeAndFold(t, tbl)
				put(t, tbl, numbered(20, 22)...)
			})
		}
	}
}

// openLimited opens a table of a limited user, whose keys an admin looks at when the test ends.
func openLimited(t testing.TB, admin, rdb *redis.Client, name string, opts ...table.Option) *items {
	t.Helper()
	tbl, err := table.Open(t.Context(), rdb, itemDefinition(name), opts...)
	ok(t, err)
	t.Cleanup(func() {
		tbl.Close()
		checkScores(t, admin, name)
		walk.Walk(t, admin, name, "at", "rank")
	})
	return tbl
}

func setUser(t testing.TB, admin *redis.Client, user, change string) {
	t.Helper()
	ok(t, admin.Do(t.Context(), "ACL", "SETUSER", user, change).Err())
}

// A fold without a permission moves nothing, says why in Stats, and goes on when it has it back.
func TestD7_APermissionLostAtRunTimeTearsNoFold(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{})
	for _, command := range []string{"hset", "hdel", "zrange", "zadd", "zrem", "zmscore", "hlen", "zcard", "hmget", "evalsha"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			name, brake := redistest.Prefix(t), newBrake(t)
			admin, rdb := s.Client(t), limited(t, s, name, aclRule(t, name))
			tbl := openLimited(t, admin, rdb, name, table.WithCleanup(brake.pool))
			put(t, tbl, numbered(0, 10)...)
			stageSome(t, tbl)
			merge(t, tbl)
			before := dump(t, admin, name)
			setUser(t, admin, name, "-"+command)
			brake.turn(t)
			st, _ := tbl.Stats(t.Context()) // it may lack the permission too; what is in memory is told
			if st.State != table.StateMerging || st.FoldFailures == 0 || !wire.IsForbidden(st.FoldError) {
				t.Errorf("while the fold fails: %+v", st)
			}
			wantUntouched(t, admin, name, before)
			setUser(t, admin, name, "+"+command)
			brake.release()
			ok(t, tbl.WaitClear(t.Context()))
		})
	}
}

// Without MULTI the commands of a transaction would run one by one, on whosever table it is.
func TestG8_AZombieThatMayNotBeginATransactionChangesNoByte(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{})
	name := redistest.Prefix(t)
	admin, rdb := s.Client(t), limited(t, s, name, aclRule(t, name))
	zombie, err := table.Open(t.Context(), rdb, itemDefinition(name))
	ok(t, err)
	defer zombie.Close()
	for range 2 {
		put(t, zombie, numbered(0, 10)...)
	}
	setUser(t, admin, name, "-multi")
	owner := openOn(t, admin, name)
	put(t, owner, numbered(5, 20)...)
	before := dump(t, admin, name)
	if err := zombie.Put(t.Context(), numbered(40, 50)...); !errors.Is(err, table.ErrFenced) {
		t.Errorf("got %v, want ErrFenced", err)
	}
	wantUntouched(t, admin, name, before)
}
