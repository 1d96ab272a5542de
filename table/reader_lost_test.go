package table_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// wantLostOnce checks that the next read says ErrLost, and that those after it show these items.
func wantLostOnce(t *testing.T, r *itemReader, want ...item) {
	t.Helper()
	if _, err := r.Get(t.Context(), 0); !errors.Is(err, table.ErrLost) {
		t.Errorf("got %v, want ErrLost", err)
	}
	wantItems(t, all(t, r.Records(t.Context(), r.All("at"))), want)
}

// A table comes or goes between any two commands of a handle that opens: it is there or it is not. Nothing of it is lost.
func TestATableThatComesOrGoesWhileAReaderOpensIsNotLost(t *testing.T) {
	t.Parallel()
	s := redistest.Shared(t)
	sound := s.Client(t)
	create := func(name string) {
		tbl, err := table.Open(t.Context(), sound, itemDefinition(name))
		ok(t, err)
		ok(t, tbl.Close())
	}
	drop := func(name string) { ok(t, table.Drop(t.Context(), sound, name)) }
	for how, way := range map[string]struct{ before, change func(name string) }{
		"comes": {func(string) {}, create},
		"goes":  {create, drop},
	} {
		for at, reached := int64(1), true; reached; at++ {
			name := redistest.Prefix(t) + fmt.Sprint(how, at)
			way.before(name)
			var commands atomic.Int64
			p := newProxy(t, s)
			p.decide(func([]string) string {
				if commands.Add(1) == at {
					way.change(name)
				}
				return ""
			})
			r, err := table.OpenReader(t.Context(), closing(t, redis.NewClient(&redis.Options{Addr: p.addr})), itemDefinition(name))
			switch {
			case err == nil:
				r.Close()
			case !errors.Is(err, table.ErrNoTable):
				t.Errorf("%s before command %d: got %v", how, at, err)
			}
			reached = commands.Load() >= at
		}
	}
}

// The table vanishes: ErrLost, then ErrNoTable, then the table that a new owner makes, though its counter is the same.
func TestR2_AfterFlushAllErrLostIsToldOnce(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{})
	rdb := s.Client(t)
	for _, seen := range []string{"empty", "filled again"} {
		t.Run(seen, func(t *testing.T) {
			ok(t, rdb.FlushAll(t.Context()).Err())
			first, err := table.Open(t.Context(), rdb, itemDefinition("t"))
			ok(t, err)
			defer first.Close()
			put(t, first, numbered(0, 5)...)
			r := openReader(t, rdb, "t")
			ok(t, rdb.FlushAll(t.Context()).Err())
			if seen == "empty" {
				if _, err := r.Get(t.Context(), 0); !errors.Is(err, table.ErrLost) || !errors.Is(err, table.ErrNoTable) {
					t.Errorf("got %v, want ErrLost and ErrNoTable", err)
				}
				for call, run := range readerVerbs {
					if err := run(t.Context(), r); call != "WaitFor" && (!errors.Is(err, table.ErrNoTable) || errors.Is(err, table.ErrLost)) {
						t.Errorf("%s: got %v, want ErrNoTable alone", call, err)
					}
				}
			}
			again, err := table.Open(t.Context(), rdb, itemDefinition("t"))
			ok(t, err)
			defer again.Close()
			for range 3 {
				put(t, again, numbered(0, 3)...)
			}
			if seen == "empty" {
				wantItems(t, all(t, r.Records(t.Context(), r.All("at"))), numbered(0, 3))
			} else {
				wantLostOnce(t, r, numbered(0, 3)...)
			}
		})
	}
}

// A server without the latest writes takes its place.
func TestR2_AFailoverToALaggingReplicaIsErrLostOnce(t *testing.T) {
	t.Parallel()
	for _, owner := range []string{"no owner", "a new owner"} {
		t.Run(owner, func(t *testing.T) {
			t.Parallel()
			primary, replica := withReplica(t)
			rdb, moveTo := movable(t, primary)
			tbl, err := table.Open(t.Context(), primary.Client(t), itemDefinition("t"))
			ok(t, err)
			defer tbl.Close()
			put(t, tbl, numbered(0, 5)...)
			caughtUp(t, primary)
			ok(t, replica.Client(t).ReplicaOf(t.Context(), "NO", "ONE").Err())
			put(t, tbl, numbered(0, 6)...)
			r := openReader(t, rdb, "t")
			shown := r.Position()
			moveTo(replica)
			primary.Kill(t)
			want := numbered(0, 5)
			if owner != "no owner" {
				again, err := table.Open(t.Context(), replica.Client(t), itemDefinition("t"))
				ok(t, err)
				defer again.Close()
				for range 3 {
					put(t, again, numbered(0, 7)...)
				}
				want = numbered(0, 7)
			}
			wantLostOnce(t, r, want...)
			if owner != "no owner" {
				if err := r.WaitFor(t.Context(), shown); !errors.Is(err, table.ErrLost) {
					t.Errorf("got %v, want ErrLost: the position is off the line", err)
				}
			}
		})
	}
}

// An effect was applied and shown on a server that is no primary any more; its successor has burned the number, under the same
// epoch.
func TestR2_ABurnedNumberThatWasShownIsErrLostOnce(t *testing.T) {
	t.Parallel()
	for _, burned := range []bool{true, false} {
		t.Run(fmt.Sprint(burned), func(t *testing.T) {
			t.Parallel()
			rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
			tbl, err := table.Open(t.Context(), rdb, itemDefinition(name))
			ok(t, err)
			defer tbl.Close()
			put(t, tbl, numbered(0, 5)...)
			put(t, tbl, numbered(0, 5)...)
			r := readerOf(t, name)
			shown := r.Position()
			epoch, number, _ := strings.Cut(shown.String(), "/")
			if number != "2" {
				t.Fatalf("the position is %v", shown)
			}
			entry := epoch + "/3"
			if burned {
				entry = shown.String()
			}
			ok(t, rdb.HSet(t.Context(), name+":m", "seq", 4, "burns", 1, "burned", entry).Err())
			if burned {
				wantLostOnce(t, r, numbered(0, 5)...)
				if err := r.WaitFor(t.Context(), shown); !errors.Is(err, table.ErrLost) {
					t.Errorf("waiting: got %v, want ErrLost", err)
				}
			} else {
				wantItems(t, all(t, r.Records(t.Context(), r.All("at"))), numbered(0, 5))
				ok(t, r.WaitFor(t.Context(), shown))
			}
			if want := epoch + "/4"; r.Position().String() != want {
				t.Errorf("the position is %v, want %s", r.Position(), want)
			}
		})
	}
}

// Whatever is lost while the table is still there: every call says so, until it is mended.
func TestR2_MissingKeysAndBrokenCountsAreErrLostEveryTime(t *testing.T) {
	t.Parallel()
	for state, sc := range scenes() {
		for what, lose := range losses(sc) {
			if what == "nothing left" {
				continue
			}
			t.Run(state+"/"+what, func(t *testing.T) {
				t.Parallel()
				rdb, name, b := redistest.Shared(t).Client(t), redistest.Prefix(t), newBrake(t)
				tbl, err := table.Open(t.Context(), rdb, itemDefinition(name), table.WithCleanup(b.pool))
				ok(t, err)
				defer tbl.Close()
				sc.prepare(t, tbl)
				r := openReader(t, rdb, name)
				ok(t, lose(t.Context(), rdb, name))
				for call, run := range readerVerbs {
					if err := run(t.Context(), r); call != "WaitFor" && !errors.Is(err, table.ErrLost) {
						t.Errorf("%s: got %v, want ErrLost", call, err)
					}
				}
			})
		}
	}
}

// Connections of the pool lead to a server that the table has left: no call says ErrLost, and none shows what was before.
func TestR2_ConnectionsThatLeadElsewhereLoseNothing(t *testing.T) {
	t.Parallel()
	for what, fate := range fates {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			m := moveTable(t, &redis.Options{})
			r := openReader(t, m.rdb, "t")
			fate(t, m.oldAdmin)
			for call, run := range readerVerbs {
				m.spoil(t, 2)
				if err := run(t.Context(), r); err != nil {
					t.Errorf("%s: %v", call, err)
				}
			}
			wantItems(t, all(t, r.Records(t.Context(), r.All("at"))), numbered(0, 7))
		})
	}
}

// While an owner with other codecs has the table, the differences are told; with ours the reader goes on by itself.
func TestR4_AnotherSchemaIsErrSchemaMismatchUntilItIsOursAgain(t *testing.T) {
	t.Parallel()
	for how, change := range otherCodecs() {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
			tbl, err := table.Open(t.Context(), rdb, itemDefinition(name))
			ok(t, err)
			defer tbl.Close()
			put(t, tbl, numbered(0, 5)...)
			r := readerOf(t, name)
			other := itemDefinition(name)
			change(&other)
			takeOver(t, rdb, other)
			for call, run := range readerVerbs {
				var differs *table.SchemaError
				if err := run(t.Context(), r); call != "WaitFor" && (!errors.As(err, &differs) || len(differs.Differences) == 0) {
					t.Errorf("%s: got %v, want the differences", call, err)
				}
			}
			again, err := table.Open(t.Context(), rdb, itemDefinition(name), table.WithReset())
			ok(t, err)
			defer again.Close()
			put(t, again, numbered(0, 3)...)
			wantItems(t, all(t, r.Records(t.Context(), r.All("at"))), numbered(0, 3))
		})
	}
}
