package table_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// otherVerbs are those that neither read records nor write any.
var otherVerbs = map[string]verb{
	"WaitClear": func(ctx context.Context, tbl *items) error { return tbl.WaitClear(ctx) },
	"Verify":    func(ctx context.Context, tbl *items) error { _, err := tbl.Verify(ctx); return err },
	"Repair":    func(ctx context.Context, tbl *items) error { _, err := tbl.Repair(ctx); return err },
}

// allVerbs are all that may be asked of a table. Those that must wait in a state learn why they need not.
func allVerbs() map[string]verb {
	every := make(map[string]verb)
	for _, some := range []map[string]verb{readVerbs, regularVerbs, scratchVerbs, clearing, scratchEnds, otherVerbs} {
		for call, run := range some {
			every[call] = run
		}
	}
	return every
}

// emptyVerbs are calls for which Redis need not be asked.
var emptyVerbs = map[string]verb{
	"Apply of nothing":      func(ctx context.Context, tbl *items) error { return tbl.Apply(ctx, batch{}) },
	"Put of nothing":        func(ctx context.Context, tbl *items) error { return tbl.Put(ctx) },
	"ScratchPut of nothing": func(ctx context.Context, tbl *items) error { return tbl.ScratchPut(ctx) },
	"DeleteKeys of nothing": func(ctx context.Context, tbl *items) error { _, err := tbl.DeleteKeys(ctx); return err },
	"Lookup of nothing":     func(ctx context.Context, tbl *items) error { return lastError(tbl.Lookup(ctx)) },
	"Records of no interval": func(ctx context.Context, tbl *items) error {
		return lastError(tbl.Records(ctx, table.Spec[item]{Index: "at"}))
	},
}

// takeOvers are ways in which another owner opens a table.
var takeOvers = map[string]func(t *testing.T, rdb *redis.Client, name string){
	"as it is": func(t *testing.T, rdb *redis.Client, name string) { openOn(t, rdb, name) },
	"reset, and filled": func(t *testing.T, rdb *redis.Client, name string) {
		put(t, openOn(t, rdb, name, table.WithReset()), numbered(0, 9)...)
	},
	"with attributes in another order": func(t *testing.T, rdb *redis.Client, name string) {
		def := itemDefinition(name)
		a := def.Attributes
		a[0], a[2], a[3] = a[3], a[0], a[2]
		tbl := takeOver(t, rdb, def)
		ok(t, tbl.Put(t.Context(), numbered(0, 5)...))
	},
	"with other indexes": func(t *testing.T, rdb *redis.Client, name string) {
		def := itemDefinition(name)
		def.Indexes = []table.Index[item]{table.By("height", func(i *item) float64 { return i.At })}
		tbl := takeOver(t, rdb, def)
		ok(t, tbl.Put(t.Context(), numbered(0, 5)...))
	},
	"with one index less": func(t *testing.T, rdb *redis.Client, name string) {
		def := itemDefinition(name)
		def.Indexes = def.Indexes[:1]
		takeOver(t, rdb, def)
	},
}

func takeOver(t *testing.T, rdb *redis.Client, def table.Definition[item, int64]) *items {
	t.Helper()
	tbl, err := table.Open(t.Context(), rdb, def, table.WithReset())
	ok(t, err)
	t.Cleanup(func() { tbl.Close() })
	return tbl
}

// Whoever opens the table, and however: each verb of the owner before, as its first call, says ErrFenced, and so does all that
// comes later.
func TestP1_EachVerbOfAReplacedOwnerIsErrFenced(t *testing.T) {
	t.Parallel()
	for how, open := range takeOvers {
		for state, sc := range scenes() {
			t.Run(how+"/"+state, func(t *testing.T) {
				t.Parallel()
				for call, run := range allVerbs() {
					rdb, name, b := redistest.Shared(t).Client(t), redistest.Prefix(t), newBrake(t)
					old, err := table.Open(t.Context(), rdb, itemDefinition(name), table.WithCleanup(b.pool))
					ok(t, err)
					sc.prepare(t, old)
					open(t, rdb, name)
					if waits(sc, call) {
						fence(t, old, func() error { return run(t.Context(), old) })
					} else if err := run(t.Context(), old); !errors.Is(err, table.ErrFenced) {
						t.Errorf("%s: got %v, want ErrFenced", call, err)
					}
					wantEnded(t, old, table.ErrFenced)
					ok(t, old.Close())
				}
			})
		}
	}
}

// waits tells whether a call waits in a scene for what only another call brings about.
func waits(sc scene, call string) bool {
	if _, reads := readVerbs[call]; reads || call == "Verify" || call == "Repair" {
		return false
	}
	for _, verbs := range append(sc.writes, scratchEnds) {
		if _, is := verbs[call]; is {
			return false
		}
	}
	return call != "WaitClear" || sc.keys[len(sc.keys)-1] == ":x:rank"
}

// fence has a call wait, and another one find that the table is fenced: the first ends at once.
func fence(t *testing.T, old *items, call func() error) {
	t.Helper()
	waiting := async(t, call)
	if _, err := old.Get(t.Context(), 3); !errors.Is(err, table.ErrFenced) {
		t.Errorf("Get: got %v, want ErrFenced", err)
	}
	if err := receive(t, "a call that waits", waiting); !errors.Is(err, table.ErrFenced) {
		t.Errorf("a call that waits: got %v, want ErrFenced", err)
	}
}

// wantEnded checks that a table knows its end, and that all calls end with it.
func wantEnded(t *testing.T, tbl *items, want error) {
	t.Helper()
	receive(t, "Done", tbl.Done())
	if !errors.Is(tbl.Err(), want) {
		t.Errorf("Err: got %v, want %v", tbl.Err(), want)
	}
	for _, verbs := range []map[string]verb{allVerbs(), emptyVerbs} {
		for call, run := range verbs {
			if err := run(t.Context(), tbl); !errors.Is(err, want) {
				t.Errorf("%s afterwards: got %v, want %v", call, err, want)
			}
		}
	}
}

type good struct{ ID, Price, Quantity int64 }

func goodDefinition(name string, attributes ...table.Attribute[good]) table.Definition[good, int64] {
	return table.Definition[good, int64]{
		Name:       name,
		PrimaryKey: table.Key(codec.Int64, func(g *good) int64 { return g.ID }),
		Attributes: append([]table.Attribute[good]{table.Field("id", codec.Int64, func(g *good) *int64 { return &g.ID })}, attributes...),
		Indexes:    []table.Index[good]{table.By("id", func(g *good) float64 { return float64(g.ID) })},
	}
}

// The example of P1: two attributes change places.
func TestP1_NothingIsReadWithTheWrongAttributes(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	price := table.Field("price", codec.Int64, func(g *good) *int64 { return &g.Price })
	quantity := table.Field("quantity", codec.Int64, func(g *good) *int64 { return &g.Quantity })
	old, err := table.Open(t.Context(), rdb, goodDefinition(name, price, quantity))
	ok(t, err)
	defer old.Close()
	ok(t, old.Put(t.Context(), good{1, 999, 3}))
	other, err := table.Open(t.Context(), rdb, goodDefinition(name, quantity, price), table.WithReset())
	ok(t, err)
	defer other.Close()
	ok(t, other.Put(t.Context(), good{1, 999, 3}))
	if g, err := old.Get(t.Context(), 1); !errors.Is(err, table.ErrFenced) {
		t.Errorf("got %+v, %v, want ErrFenced", g, err)
	}
	if err := old.Put(t.Context(), good{1, 998, 3}); !errors.Is(err, table.ErrFenced) {
		t.Errorf("got %v, want ErrFenced", err)
	}
	if g, err := other.Get(t.Context(), 1); err != nil || g != (good{1, 999, 3}) {
		t.Errorf("got %+v, %v", g, err)
	}
}

// After FLUSHALL another owner opens the table anew: the first one is told so, whatever it asks for.
func TestP1_AfterFlushAllAndANewOwnerNothingIsAnsweredAsEmpty(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{})
	rdb := s.Client(t)
	for call, run := range allVerbs() {
		old, err := table.Open(t.Context(), rdb, itemDefinition("t"))
		ok(t, err)
		put(t, old, numbered(0, 5)...)
		ok(t, rdb.FlushAll(t.Context()).Err())
		again, err := table.Open(t.Context(), rdb, itemDefinition("t"))
		ok(t, err)
		if err := run(t.Context(), old); !errors.Is(err, table.ErrFenced) && !errors.Is(err, table.ErrLost) {
			t.Errorf("%s: got %v, want ErrFenced or ErrLost", call, err)
		}
		receive(t, "Done", old.Done())
		ok(t, old.Close())
		put(t, again, numbered(0, 1)...)
		ok(t, again.Close())
		ok(t, rdb.FlushAll(t.Context()).Err())
	}
}

// Many callers at once are answered by other commands than one: they are told all the same.
func TestP1_ReadersAtOnceAreErrFenced(t *testing.T) {
	t.Parallel()
	for how, open := range takeOvers {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
			old, err := table.Open(t.Context(), rdb, itemDefinition(name))
			ok(t, err)
			defer old.Close()
			put(t, old, numbered(0, 5)...)
			open(t, rdb, name)
			var calls []<-chan error
			for range 50 {
				for _, run := range readVerbs {
					calls = append(calls, async(t, func() error { return run(t.Context(), old) }))
				}
			}
			for _, c := range calls {
				if err := receive(t, "a read", c); !errors.Is(err, table.ErrFenced) {
					t.Errorf("got %v, want ErrFenced", err)
				}
			}
		})
	}
}

// A long read whose table gets another owner ends with ErrFenced, at the next page or while its consumer stalls.
func TestP1_ALongReadOfAReplacedOwnerIsErrFenced(t *testing.T) {
	t.Parallel()
	for how, open := range takeOvers {
		for _, verb := range []string{"Get", ""} { // a read by somebody else, or the next page, finds it
			t.Run(how+"/"+verb, func(t *testing.T) {
				t.Parallel()
				rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
				old, err := table.Open(t.Context(), rdb, itemDefinition(name), table.WithPageBytes(400), table.WithStreamBuffer(1))
				ok(t, err)
				defer old.Close()
				put(t, old, numbered(0, 500)...)
				n := 0
				var last error
				for _, err := range old.Records(t.Context(), old.All("at")) {
					if last = err; n == 20 {
						open(t, rdb, name)
						if run, is := readVerbs[verb]; is && !errors.Is(run(t.Context(), old), table.ErrFenced) {
							t.Error("Get is not told")
						}
					}
					n++
				}
				if !errors.Is(last, table.ErrFenced) || n >= 500 {
					t.Errorf("%d rows, then %v, want ErrFenced", n, last)
				}
				wantEnded(t, old, table.ErrFenced)
			})
		}
	}
}

// Rows that are of another layout than the owner's are not decoded, although the epoch is its own.
func TestR4_RowsOfAnotherLayoutAreErrLost(t *testing.T) {
	t.Parallel()
	for state, sc := range scenes() {
		for what, lose := range map[string]func(context.Context, *redis.Client, string) error{
			"another layout": func(ctx context.Context, rdb *redis.Client, name string) error {
				return rdb.HSet(ctx, name+":m", "layout", "1").Err()
			},
			"no layout": func(ctx context.Context, rdb *redis.Client, name string) error {
				return rdb.HDel(ctx, name+":m", "layout").Err()
			},
		} {
			t.Run(state+"/"+what, func(t *testing.T) {
				t.Parallel()
				loseAndCall(t, sc, lose, readVerbs)
			})
		}
	}
}

// Many readers at once are answered by plain commands, and long ones too: these compare the layout likewise.
func TestR4_ReadersAtOnceCompareTheLayout(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl, err := table.Open(t.Context(), rdb, itemDefinition(name), table.WithPageBytes(400))
	ok(t, err)
	defer tbl.Close()
	put(t, tbl, numbered(0, 100)...)
	n := 0
	var last error
	for _, err := range tbl.Records(t.Context(), tbl.All("at")) {
		if last = err; n == 20 {
			ok(t, rdb.HSet(t.Context(), name+":m", "layout", "1").Err())
		}
		n++
	}
	if !errors.Is(last, table.ErrLost) || n >= 100 {
		t.Errorf("%d rows, then %v, want ErrLost", n, last)
	}
	var calls []<-chan error
	for range 50 {
		calls = append(calls, async(t, func() error { _, err := tbl.First(t.Context(), tbl.Range("at", 10, 30)); return err }))
	}
	for _, c := range calls {
		if err := receive(t, "a read", c); !errors.Is(err, table.ErrLost) {
			t.Errorf("got %v, want ErrLost", err)
		}
	}
}

// A table that an earlier version of the library has written is named as such, not as lost, and can be reset.
func TestR4_ATableOfAnEarlierLayoutIsErrSchemaMismatch(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl, err := table.Open(t.Context(), rdb, itemDefinition(name))
	ok(t, err)
	put(t, tbl, numbered(0, 5)...)
	ok(t, tbl.Close())
	schema := rdb.HGet(t.Context(), name+":m", "schema").Val()
	ok(t, rdb.HSet(t.Context(), name+":m", "schema", strings.Replace(schema, `"layout":6`, `"layout":4`, 1)).Err())
	ok(t, rdb.HDel(t.Context(), name+":m", "layout").Err())
	_, err = table.Open(t.Context(), rdb, itemDefinition(name))
	if !errors.Is(err, table.ErrSchemaMismatch) || !strings.Contains(err.Error(), "layout 4, want 6") {
		t.Errorf("got %v, want ErrSchemaMismatch that names the version", err)
	}
	again := openOn(t, rdb, name, table.WithReset())
	wantIDs(t, again, again.All("at"))
	put(t, again, numbered(0, 3)...)
}

func TestDoneAndErrSayWhyATableHasEnded(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	select {
	case <-tbl.Done():
		t.Error("done while it is open")
	default:
	}
	ok(t, tbl.Err())
	ok(t, tbl.Close())
	receive(t, "Done", tbl.Done())
	if !errors.Is(tbl.Err(), table.ErrClosed) {
		t.Errorf("got %v, want ErrClosed", tbl.Err())
	}
}
