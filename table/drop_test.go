package table_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// wantNoKeys fails if anything is stored under a table's name.
func wantNoKeys(t testing.TB, rdb redis.UniversalClient, name string) {
	t.Helper()
	keys, err := rdb.Keys(t.Context(), name+":*").Result()
	if ok(t, err); len(keys) > 0 {
		t.Errorf("%v are left", keys)
	}
}

// openUnwalked opens a table whose keys will be gone when the test ends.
func openUnwalked(t testing.TB, rdb redis.UniversalClient, name string, opts ...table.Option) *items {
	t.Helper()
	tbl, err := table.Open(t.Context(), rdb, itemDefinition(name), opts...)
	ok(t, err)
	t.Cleanup(func() { tbl.Close() })
	return tbl
}

// everyRead and everyWrite make each call that asks Redis.
func everyRead(ctx context.Context, tbl *items) map[string]error {
	errs := make(map[string]error)
	_, errs["Get"] = tbl.Get(ctx, 3)
	_, errs["Get of what was not there"] = tbl.Get(ctx, 12345)
	errs["Lookup"] = lastError(tbl.Lookup(ctx, 3, 4))
	errs["Records"] = lastError(tbl.Records(ctx, tbl.All("at")))
	errs["Records, short"] = lastError(tbl.Records(ctx, tbl.Range("at", 10, 40)))
	errs["Records, limited"] = lastError(tbl.Records(ctx, tbl.All("rank").Max(2)))
	_, errs["First"] = tbl.First(ctx, tbl.All("at"))
	_, _, errs["Page"] = tbl.Page(ctx, tbl.All("at"), "", 2)
	_, errs["Count"] = tbl.Count(ctx, tbl.All("at"))
	_, errs["Stats"] = tbl.Stats(ctx)
	_, errs["Verify"] = tbl.Verify(ctx)
	stream := tbl.Stream(ctx, tbl.All("at"))
	for range stream.C() {
	}
	errs["Stream"] = stream.Err()
	return errs
}

func everyWrite(ctx context.Context, tbl *items) map[string]error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	errs := make(map[string]error)
	errs["ScratchPut"] = tbl.ScratchPut(ctx, numbered(0, 3)...) // first, for it does not wait while scratch is active
	errs["Put"] = tbl.Put(ctx, numbered(0, 3)...)
	errs["Put of many"] = tbl.Put(ctx, numbered(0, 2500)...)
	errs["Apply"] = tbl.Apply(ctx, batch{Put: numbered(0, 1), Note: []byte("n")})
	errs["Update"] = tbl.Update(ctx, 1, renamed("u"))
	_, errs["DeleteKeys"] = tbl.DeleteKeys(ctx, 1)
	_, errs["Delete"] = tbl.Delete(ctx, tbl.All("at"))
	_, errs["ScratchDiscard"] = tbl.ScratchDiscard(ctx, tbl.All("at"))
	errs["Clear"] = tbl.Clear(ctx)
	_, errs["Repair"] = tbl.Repair(ctx)
	return errs
}

// wantGone wants each call to have found that the table is not this owner's any more.
func wantGone(t *testing.T, when string, errs map[string]error) {
	t.Helper()
	for call, err := range errs {
		if !errors.Is(err, table.ErrLost) && !errors.Is(err, table.ErrFenced) || errors.Is(err, table.ErrNotFound) {
			t.Errorf("%s: %s: got %v, want ErrLost or ErrFenced", when, call, err)
		}
	}
}

// A dropped table leaves nothing behind, in each state; its owner reads nothing and writes nothing.
func TestDropLeavesNothing(t *testing.T) {
	t.Parallel()
	for what, fill := range map[string]func(*testing.T, *items, *brake){
		"empty": func(*testing.T, *items, *brake) {},
		"clear": func(t *testing.T, tbl *items, _ *brake) { put(t, tbl, numbered(0, 100)...) },
		"active": func(t *testing.T, tbl *items, _ *brake) {
			put(t, tbl, numbered(0, 100)...)
			stageSome(t, tbl)
		},
		"merging": func(t *testing.T, tbl *items, b *brake) {
			put(t, tbl, numbered(0, 100)...)
			ok(t, tbl.ScratchPut(t.Context(), numbered(50, 400)...))
			merge(t, tbl)
			b.turnUntilHalf(t, tbl)
		},
		"active, whole":  func(t *testing.T, tbl *items, _ *brake) { stageWhole(t, tbl) },
		"merging, whole": func(t *testing.T, tbl *items, _ *brake) { stageWhole(t, tbl); merge(t, tbl) },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s, name, brake := redistest.Shared(t), redistest.Prefix(t), newBrake(t)
			rdb := limited(t, s, name, ruleOn(t, s, name))
			owner := openUnwalked(t, rdb, name, table.WithCleanup(brake.pool))
			fill(t, owner, brake)
			ok(t, table.Drop(t.Context(), rdb, name))
			wantNoKeys(t, s.Client(t), name)
			wantGone(t, "dropped", everyRead(t.Context(), owner))
			brake.turn(t)
			wantGone(t, "dropped", everyWrite(t.Context(), owner))
			wantNoKeys(t, s.Client(t), name)
			if err := table.Drop(t.Context(), rdb, name); !errors.Is(err, table.ErrNoTable) {
				t.Errorf("dropped again: got %v, want ErrNoTable", err)
			}
			if refused := refusals(t, s, name); len(refused) > 0 {
				t.Errorf("the rule refuses %v", refused)
			}
		})
	}
}

// The first thing that the owner of a dropped table does is a write: by a transaction, or by a script.
func TestAWriteRightAfterDropChangesNothing(t *testing.T) {
	t.Parallel()
	for _, records := range []int{1, 900, 2500} {
		rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
		owner := openUnwalked(t, rdb, name)
		put(t, owner, numbered(0, 100)...)
		ok(t, table.Drop(t.Context(), rdb, name))
		err := owner.Put(t.Context(), numbered(0, records)...)
		wantGone(t, "dropped", map[string]error{"Put": err})
		wantNoKeys(t, rdb, name)
	}
}

// A table that was dropped and made anew is its new owner's alone; the old one's writes change nothing.
func TestAfterDropAnotherOwnerBegins(t *testing.T) {
	t.Parallel()
	for _, takeovers := range []int{1, 3} {
		rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
		owner := openUnwalked(t, rdb, name)
		for range takeovers - 1 {
			owner = openUnwalked(t, rdb, name)
		}
		put(t, owner, numbered(0, 100)...)
		ok(t, table.Drop(t.Context(), rdb, name))
		next := openOn(t, rdb, name)
		wantIDs(t, next, next.All("at"))
		put(t, next, numbered(0, 2)...)
		before := dump(t, rdb, name)
		wantGone(t, "made anew", everyWrite(t.Context(), owner))
		wantUntouched(t, rdb, name, before)
	}
}

func TestDropLeavesOtherTablesAlone(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	var others []*items
	for _, other := range []string{name + "2", name + ":in", name + "-{x}"} {
		tbl := openOn(t, rdb, other)
		put(t, tbl, numbered(0, 3)...)
		others = append(others, tbl)
	}
	openUnwalked(t, rdb, name)
	ok(t, table.Drop(t.Context(), rdb, name))
	for _, tbl := range others {
		wantIDs(t, tbl, tbl.All("at"), 0, 1, 2)
	}
}

// What is damaged can be dropped as long as the schema tells the indexes; else nothing is touched.
func TestDropOfADamagedTable(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		damage []any // a command, behind its name the key's suffix
		lost   bool
	}{
		"a row missing":        {[]any{"HDEL", ":r", rawKey(3)}, false},
		"an index missing":     {[]any{"DEL", ":i:at"}, false},
		"the rows missing":     {[]any{"DEL", ":r"}, false},
		"a foreign type":       {[]any{"SET", ":s", "x"}, false},
		"no number":            {[]any{"HSET", ":m", "seq", "x"}, false},
		"no epoch":             {[]any{"HDEL", ":m", "epoch"}, false},
		"a state of others":    {[]any{"HSET", ":m", "state", "moving"}, false},
		"an earlier layout":    {[]any{"HSET", ":m", "schema", `{"layout":2,"indexes":["at","rank"]}`}, false},
		"no schema":            {[]any{"HDEL", ":m", "schema"}, true},
		"an empty schema":      {[]any{"HSET", ":m", "schema", ""}, true},
		"an unreadable schema": {[]any{"HSET", ":m", "schema", "x"}, true},
		"no truth":             {[]any{"DEL", ":m"}, true},
		"a foreign truth":      {[]any{"SET", ":m", "x"}, true},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
			put(t, openUnwalked(t, rdb, name), numbered(0, 10)...)
			c.damage[1] = name + c.damage[1].(string)
			ok(t, rdb.Do(t.Context(), c.damage...).Err())
			keys := rdb.Keys(t.Context(), name+":*").Val()
			err := table.Drop(t.Context(), rdb, name)
			if !c.lost {
				ok(t, err)
				wantNoKeys(t, rdb, name)
				return
			}
			if !errors.Is(err, table.ErrLost) {
				t.Errorf("got %v, want ErrLost", err)
			}
			if now := rdb.Keys(t.Context(), name+":*").Val(); len(now) != len(keys) {
				t.Errorf("%v are left of %v", now, keys)
			}
			openUnwalked(t, rdb, name, table.WithReset()) // that is what removes it
			ok(t, table.Drop(t.Context(), rdb, name))
			wantNoKeys(t, rdb, name)
		})
	}
}

func TestDropRefusesWhatOpenRefuses(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	endless := redis.NewClient(&redis.Options{Addr: rdb.Options().Addr, ReadTimeout: -1})
	cluster := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"127.0.0.1:1"}})
	t.Cleanup(func() { ok(t, errors.Join(endless.Close(), cluster.Close())) })
	for want, calls := range map[error]map[string]redis.UniversalClient{
		table.ErrNoTable:           {name: rdb},
		table.ErrInvalidDefinition: {"": rdb, "a b": rdb, "a:i:b": rdb, "*": rdb},
		table.ErrUnsafeClient:      {name + "1": nil, name + "2": endless, name + "3": cluster},
	} {
		for of, c := range calls {
			err := table.Drop(t.Context(), c, of)
			if !errors.Is(err, want) || !strings.HasPrefix(err.Error(), "table "+of+": drop: ") {
				t.Errorf("%s: got %v, want %v", of, err, want)
			}
		}
	}
}

// A drop is not done on a replica.
func TestDropRefusesAReplica(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{Args: []string{"--replicaof", "127.0.0.1", "1"}})
	if err := table.Drop(t.Context(), s.Client(t), "t"); !errors.Is(err, table.ErrUnsafeClient) {
		t.Errorf("got %v, want ErrUnsafeClient", err)
	}
}

// Open and Drop end with their contexts. They say that the outcome is unknown when that is so, and only then: whoever was told that
// nothing has changed finds nothing changed later.
func TestOpenAndDropEndWithTheirContexts(t *testing.T) {
	t.Parallel()
	for what, call := range map[string]func(context.Context, redis.UniversalClient, string) error{
		"Drop": table.Drop,
		"Open": func(ctx context.Context, rdb redis.UniversalClient, name string) error {
			tbl, err := table.Open(ctx, rdb, itemDefinition(name))
			if err == nil {
				err = tbl.Close()
			}
			return err
		},
	} {
		s, name := redistest.Shared(t), redistest.Prefix(t)
		owner := openUnwalked(t, s.Client(t), name)
		put(t, owner, numbered(0, 3)...)
		rdb := s.Client(t)
		hook := &holdUp{nth: 1}
		rdb.AddHook(hook)
		if err := hook.abandon(t, func(ctx context.Context) error { return call(ctx, rdb, name) }); errors.Is(err, table.ErrUnknownOutcome) {
			t.Errorf("%s: got %v, though nothing was begun", what, err)
		}
		for range 100 {
			_, err := owner.Get(t.Context(), 1)
			ok(t, err)
			put(t, owner, numbered(0, 3)...)
		}
		if n := hook.calls.Load(); n != 1 {
			t.Errorf("%s: %d scripts were called", what, n)
		}
		hook.calls.Store(0)
		if hook.nth = 2; what == "Open" {
			hook.nth = 3 // a sample of each index, and then the claim
		}
		if err := hook.abandon(t, func(ctx context.Context) error { return call(ctx, rdb, name) }); !errors.Is(err, table.ErrUnknownOutcome) {
			t.Errorf("%s: got %v, want ErrUnknownOutcome", what, err)
		}
	}
}

// holdUp holds up the n-th script call until the caller has left.
type holdUp struct {
	counter
	calls                    atomic.Int64
	nth                      int
	reached, release, passed chan struct{}
}

// abandon leaves a call while it is held up, and waits for the script call to end.
func (h *holdUp) abandon(t *testing.T, call func(context.Context) error) error {
	t.Helper()
	h.reached, h.release, h.passed = make(chan struct{}), make(chan struct{}), make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	done := async(t, func() error { return call(ctx) })
	receive(t, "a call to hang", h.reached)
	cancel()
	err := receive(t, "the call to end", done)
	close(h.release)
	receive(t, "the script call to end", h.passed)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
	return err
}

func (h *holdUp) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() != "evalsha" || int(h.calls.Add(1)) != h.nth {
			return next(ctx, cmd)
		}
		close(h.reached)
		<-h.release
		defer close(h.passed)
		return next(ctx, cmd)
	}
}

func TestDropOnMiniredis(t *testing.T) {
	t.Parallel()
	rdb, stop := embedded()
	defer stop()
	put(t, openUnwalked(t, rdb, "t"), numbered(0, 10)...)
	ok(t, table.Drop(t.Context(), rdb, "t"))
	wantNoKeys(t, rdb, "t")
	if err := table.Drop(t.Context(), rdb, "t"); !errors.Is(err, table.ErrNoTable) {
		t.Errorf("got %v, want ErrNoTable", err)
	}
}

// resent has each script call of a drop sent twice, as go-redis does after a reply that was lost.
type resent struct {
	counter
	calls   atomic.Int64
	between func(n int) // before the n-th script call is repeated
}

func (h *resent) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() == "evalsha" {
			_ = next(ctx, cmd)
			h.between(int(h.calls.Add(1)))
		}
		return next(ctx, cmd)
	}
}

// A drop that is sent again has dropped once: not what somebody has made anew meanwhile.
func TestADropThatIsSentAgainIsHarmless(t *testing.T) {
	t.Parallel()
	s, name := redistest.Shared(t), redistest.Prefix(t)
	openUnwalked(t, s.Client(t), name)
	rdb := s.Client(t)
	hook := &resent{between: func(int) {}}
	rdb.AddHook(hook)
	ok(t, table.Drop(t.Context(), rdb, name))
	wantNoKeys(t, s.Client(t), name)

	var anew *items
	openUnwalked(t, s.Client(t), name)
	hook.calls.Store(0)
	hook.between = func(n int) {
		if n == 2 {
			anew = openOn(t, s.Client(t), name)
			put(t, anew, numbered(0, 3)...)
		}
	}
	if err := table.Drop(t.Context(), rdb, name); !errors.Is(err, table.ErrFenced) {
		t.Errorf("got %v, want ErrFenced", err)
	}
	wantIDs(t, anew, anew.All("at"), 0, 1, 2)
}
