package table_test

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

type verb func(ctx context.Context, tbl *items) error

// readVerbs are the verbs that no state of the lock makes wait.
var readVerbs = map[string]verb{
	"Records": func(ctx context.Context, tbl *items) error { return lastError(tbl.Records(ctx, tbl.All("at"))) },
	"Records, reversed": func(ctx context.Context, tbl *items) error {
		return lastError(tbl.Records(ctx, tbl.All("rank").Reversed()))
	},
	"Records of nothing": func(ctx context.Context, tbl *items) error {
		return lastError(tbl.Records(ctx, tbl.Range("rank", -9, -8)))
	},
	"Stream": func(ctx context.Context, tbl *items) error {
		st := tbl.Stream(ctx, tbl.All("at"))
		for range st.C() {
		}
		return st.Err()
	},
	"First": func(ctx context.Context, tbl *items) error { _, err := tbl.First(ctx, tbl.All("at")); return err },
	"Page": func(ctx context.Context, tbl *items) error {
		_, _, err := tbl.Page(ctx, tbl.All("rank"), "", 2)
		return err
	},
	"Get":    func(ctx context.Context, tbl *items) error { _, err := tbl.Get(ctx, 1); return err },
	"Lookup": func(ctx context.Context, tbl *items) error { return lastError(tbl.Lookup(ctx, 1, 2, 77)) },
	"Count":  func(ctx context.Context, tbl *items) error { _, err := tbl.Count(ctx, tbl.All("rank")); return err },
	"Count of some": func(ctx context.Context, tbl *items) error {
		_, err := tbl.Count(ctx, tbl.All("rank").Where(func(*item) bool { return true }))
		return err
	},
	"Stats": func(ctx context.Context, tbl *items) error { _, err := tbl.Stats(ctx); return err },
	"Note":  func(ctx context.Context, tbl *items) error { _, err := tbl.Note(ctx); return err },
}

var regularVerbs = map[string]verb{
	"Put":        func(ctx context.Context, tbl *items) error { return tbl.Put(ctx, numbered(50, 51)...) },
	"Delete":     func(ctx context.Context, tbl *items) error { _, err := tbl.Delete(ctx, tbl.All("at")); return err },
	"DeleteSeq":  func(ctx context.Context, tbl *items) error { return lastError(tbl.DeleteSeq(ctx, tbl.All("rank"))) },
	"DeleteKeys": func(ctx context.Context, tbl *items) error { _, err := tbl.DeleteKeys(ctx, 1, 99); return err },
	"Apply": func(ctx context.Context, tbl *items) error {
		return tbl.Apply(ctx, batch{Put: numbered(50, 51), Delete: []int64{99}, Note: []byte("n")})
	},
	"Apply of a note":    func(ctx context.Context, tbl *items) error { return tbl.Apply(ctx, batch{Note: []byte("n")}) },
	"Apply of deletions": func(ctx context.Context, tbl *items) error { return tbl.Apply(ctx, batch{Delete: []int64{1, 99}}) },
	"Update":             func(ctx context.Context, tbl *items) error { return tbl.Update(ctx, 4, renamed("u")) },
	"Delete none":        func(ctx context.Context, tbl *items) error { _, err := tbl.DeleteKeys(ctx, 99); return err },
}

var scratchVerbs = map[string]verb{
	"ScratchPut": func(ctx context.Context, tbl *items) error { return tbl.ScratchPut(ctx, numbered(60, 61)...) },
	"ScratchDiscard": func(ctx context.Context, tbl *items) error {
		_, err := tbl.ScratchDiscard(ctx, tbl.All("at"))
		return err
	},
	"ScratchDiscardSeq": func(ctx context.Context, tbl *items) error {
		return lastError(tbl.ScratchDiscardSeq(ctx, tbl.All("rank")))
	},
}

var clearing = map[string]verb{
	"Clear": func(ctx context.Context, tbl *items) error { return tbl.Clear(ctx) },
}

var scratchEnds = map[string]verb{
	"ScratchMerge": func(ctx context.Context, tbl *items) error { return tbl.ScratchMerge(ctx) },
	"ScratchAbort": func(ctx context.Context, tbl *items) error { return tbl.ScratchAbort(ctx) },
}

// scene is a state of a table, the keys that it has then, and the writes that do not wait in it.
type scene struct {
	prepare func(t *testing.T, tbl *items)
	keys    []string
	writes  []map[string]verb
}

func scenes() map[string]scene {
	stage := func(t *testing.T, tbl *items) {
		put(t, tbl, numbered(0, 5)...)
		ok(t, tbl.ScratchPut(t.Context(), numbered(3, 8)...))
		_, err := tbl.ScratchDiscard(t.Context(), tbl.Range("at", 0, 10))
		ok(t, err)
	}
	merged, all := []string{":m", ":r", ":i:at", ":i:rank"}, []string{":m", ":r", ":s", ":i:at", ":i:rank", ":x:at", ":x:rank"}
	return map[string]scene{
		"empty": {func(*testing.T, *items) {}, []string{":m"}, []map[string]verb{clearing, regularVerbs, scratchVerbs}},
		"clear": {func(t *testing.T, tbl *items) { put(t, tbl, numbered(0, 5)...) }, merged,
			[]map[string]verb{clearing, regularVerbs, scratchVerbs}},
		"active":         {stage, all, []map[string]verb{clearing, scratchVerbs, scratchEnds}},
		"merging":        {func(t *testing.T, tbl *items) { stage(t, tbl); merge(t, tbl) }, all, []map[string]verb{clearing}},
		"active, whole":  {stageWhole, all, []map[string]verb{clearing, scratchVerbs, scratchEnds}},
		"merging, whole": {func(t *testing.T, tbl *items) { stageWhole(t, tbl); merge(t, tbl) }, all, []map[string]verb{clearing}},
	}
}

// losses are ways in which what a table has stored may get lost.
func losses(sc scene) map[string]func(ctx context.Context, rdb *redis.Client, name string) error {
	all := make(map[string]func(context.Context, *redis.Client, string) error)
	for _, key := range sc.keys {
		all["no "+key] = func(ctx context.Context, rdb *redis.Client, name string) error { return rdb.Del(ctx, name+key).Err() }
		all["foreign "+key] = func(ctx context.Context, rdb *redis.Client, name string) error {
			return rdb.Set(ctx, name+key, "foreign", 0).Err()
		}
	}
	all["nothing left"] = func(ctx context.Context, rdb *redis.Client, name string) error {
		for _, key := range sc.keys {
			if err := rdb.Del(ctx, name+key).Err(); err != nil {
				return err
			}
		}
		return nil
	}
	for _, field := range []string{"epoch", "seq", "last", "gen", "state", "rver", "burns", "notes", "count", "staged", "live"} {
		all["no "+field] = func(ctx context.Context, rdb *redis.Client, name string) error {
			return rdb.HDel(ctx, name+":m", field).Err()
		}
		if field != "last" {
			all["bad "+field] = func(ctx context.Context, rdb *redis.Client, name string) error {
				return rdb.HSet(ctx, name+":m", field, "bad").Err()
			}
		}
	}
	return all
}

// Whatever was lost, and in whatever state: the first call that is made after it says so, and changes nothing.
func TestG11_TheFirstCallAfterALossIsErrLost(t *testing.T) {
	t.Parallel()
	for state, sc := range scenes() {
		for what, lose := range losses(sc) {
			t.Run(state+"/"+what, func(t *testing.T) {
				t.Parallel()
				loseAndCall(t, sc, lose, readVerbs)
				for _, verbs := range sc.writes {
					for call, run := range verbs { // a write that meets ErrLost ends the table
						loseAndCall(t, sc, lose, map[string]verb{call: run})
					}
				}
			})
		}
	}
}

func loseAndCall(t *testing.T, sc scene, lose func(context.Context, *redis.Client, string) error, calls map[string]verb) {
	t.Helper()
	rdb, name, b := redistest.Shared(t).Client(t), redistest.Prefix(t), newBrake(t)
	tbl, err := table.Open(t.Context(), rdb, itemDefinition(name), table.WithCleanup(b.pool))
	ok(t, err)
	defer tbl.Close()
	sc.prepare(t, tbl)
	ok(t, lose(t.Context(), rdb, name))
	before := raw(t, rdb, name)
	for call, run := range calls {
		if err := run(t.Context(), tbl); !errors.Is(err, table.ErrLost) {
			t.Errorf("%s: got %v, want ErrLost", call, err)
		}
		if after := raw(t, rdb, name); !reflect.DeepEqual(before, after) {
			t.Errorf("%s has changed what is stored", call)
		}
	}
}

// raw returns what is stored under each key of a table, of whatever type it is.
func raw(t testing.TB, rdb *redis.Client, name string) map[string]any {
	t.Helper()
	all := make(map[string]any)
	for _, key := range []string{":m", ":r", ":s", ":i:at", ":i:rank", ":x:at", ":x:rank"} {
		switch kind := rdb.Type(t.Context(), name+key).Val(); kind {
		case "hash":
			all[key] = rdb.HGetAll(t.Context(), name+key).Val()
		case "zset":
			all[key] = rdb.ZRangeWithScores(t.Context(), name+key, 0, -1).Val()
		default:
			all[key] = kind
		}
	}
	return all
}

// After a loss a table is not opened, and the failing Open fences nobody; with WithReset it is, and works.
func TestG11_OpenAfterALossWantsAReset(t *testing.T) {
	t.Parallel()
	for state, sc := range scenes() {
		for what, lose := range losses(sc) {
			if what == "nothing left" || what == "no last" || state == "empty" && what == "no :m" {
				continue // that is a new table, or one that Open needs nothing more of
			}
			t.Run(state+"/"+what, func(t *testing.T) {
				t.Parallel()
				rdb, name, b := redistest.Shared(t).Client(t), redistest.Prefix(t), newBrake(t)
				tbl, err := table.Open(t.Context(), rdb, itemDefinition(name), table.WithCleanup(b.pool))
				ok(t, err)
				defer tbl.Close()
				sc.prepare(t, tbl)
				ok(t, lose(t.Context(), rdb, name))
				before := raw(t, rdb, name)
				if _, err := table.Open(t.Context(), rdb, itemDefinition(name)); !errors.Is(err, table.ErrLost) {
					t.Fatalf("got %v, want ErrLost", err)
				}
				if after := raw(t, rdb, name); !reflect.DeepEqual(before, after) {
					t.Error("a failing Open has changed what is stored")
				}
				again := openOn(t, rdb, name, table.WithReset())
				wantIDs(t, again, again.All("at"))
				put(t, again, numbered(0, 3)...)
				ok(t, again.ScratchPut(t.Context(), numbered(3, 4)...))
				ok(t, again.ScratchMerge(t.Context()))
				ok(t, again.WaitClear(t.Context()))
				wantIDs(t, again, again.All("rank"), 0, 3, 1, 2)
			})
		}
	}
}

// An index entry without a row answers nothing: it is told.
func TestU18_GhostEntriesAreTold(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl := openOn(t, rdb, name)
	put(t, tbl, numbered(0, 3)...)
	ok(t, rdb.ZAdd(t.Context(), name+":i:at", score(77, 5)).Err())
	for call, run := range readVerbs {
		if err := run(t.Context(), tbl); !errors.Is(err, table.ErrLost) {
			t.Errorf("%s: got %v, want ErrLost", call, err)
		}
	}
	_, err := tbl.Repair(t.Context())
	ok(t, err)
	wantIDs(t, tbl, tbl.All("at"), 0, 1, 2)
}
