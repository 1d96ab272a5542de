package table_test

import (
	"context"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// stageWhole stages a reload of everything: 3 to 7 in the place of 0 to 4.
func stageWhole(t *testing.T, tbl *items) {
	put(t, tbl, numbered(0, 5)...)
	wantDiscarded(t, tbl, tbl.All("at"), 5)
	ok(t, tbl.ScratchPut(t.Context(), numbered(3, 8)...))
}

// wantWord checks the state as Redis has it, and how many rows and tombstones are staged.
func wantWord(t testing.TB, rdb redis.UniversalClient, name, state string, staged int64) {
	t.Helper()
	if got := rdb.HGet(t.Context(), name+":m", "state").Val(); got != state {
		t.Errorf("the state is %s, want %s", got, state)
	}
	if n := rdb.HLen(t.Context(), name+":s").Val(); n != staged {
		t.Errorf("%d rows and tombstones are staged, want %d", n, staged)
	}
}

// wantAll checks every way to read all of a table.
func wantAll(t testing.TB, tbl *items, want ...item) {
	t.Helper()
	ctx, all1, keys := t.Context(), tbl.All("at"), keysOf(want)
	wantIDs(t, tbl, all1, keys...)
	wantItems(t, slices.Collect(received(tbl.Stream(ctx, all1).C())), want)
	wantItems(t, all(t, tbl.Lookup(ctx, append([]int64{12345}, keys...)...)), want)
	page, rest, err := tbl.Page(ctx, all1, "", 2)
	ok(t, err)
	if len(want) < 3 {
		wantItems(t, page, want)
		return
	}
	more, _, err := tbl.Page(ctx, all1, rest, 1000)
	ok(t, err)
	wantItems(t, append(page, more...), want)
	last, err := tbl.First(ctx, all1.Reversed())
	ok(t, err)
	wantItems(t, []item{last}, want[len(want)-1:])
}

// fromEverywhere runs a test where effects go by transaction, where they go by script, and on miniredis.
func fromEverywhere(t *testing.T, test func(t *testing.T, rdb redis.UniversalClient, name string)) {
	t.Parallel()
	s := redistest.Shared(t)
	for way, client := range map[string]func(*testing.T, string) redis.UniversalClient{
		"transactions": func(t *testing.T, name string) redis.UniversalClient { return limited(t, s, name, ruleOn(t, s, name)) },
		"scripts": func(t *testing.T, name string) redis.UniversalClient {
			return limited(t, s, name, slices.DeleteFunc(ruleOn(t, s, name), func(part string) bool { return part == "+multi" }))
		},
		"miniredis": func(t *testing.T, _ string) redis.UniversalClient {
			return redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()})
		},
	} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			name := redistest.Prefix(t)
			test(t, client(t, name), name)
		})
	}
}

func TestD12_AReloadOfEverything(t *testing.T) {
	fromEverywhere(t, func(t *testing.T, rdb redis.UniversalClient, name string) {
		brake := newBrake(t)
		tbl, err := table.Open(t.Context(), rdb, itemDefinition(name), table.WithCleanup(brake.pool))
		ok(t, err)
		defer tbl.Close()
		put(t, tbl, numbered(0, 50)...)
		wantDiscarded(t, tbl, tbl.All("rank"), 50)
		wantWord(t, rdb, name, "active-whole", 0)
		wantState(t, tbl, table.StateActive)
		ok(t, tbl.ScratchPut(t.Context(), numbered(40, 100)...))
		ok(t, tbl.ScratchPut(t.Context(), numbered(100, 102)...))
		wantDiscarded(t, tbl, tbl.Range("at", 300, 410), 1)                                                 // of those only 40 is staged
		wantDiscarded(t, tbl, tbl.All("at").Where(func(i *item) bool { return i.ID > 80 && i.ID < 90 }), 9) // by pages, with conditions
		wantWord(t, rdb, name, "active-whole", 62-1-9)
		wantDiscarded(t, tbl, tbl.All("at").Where(func(i *item) bool { return i.ID == 101 }), 1) // where there are transactions by one: it follows another
		ok(t, tbl.ScratchPut(t.Context(), numbered(101, 102)...))
		ok(t, tbl.ScratchPut(t.Context(), numbered(85, 86)...)) // which is back
		wantAll(t, tbl, numbered(0, 50)...)
		want := slices.Concat(numbered(41, 81), numbered(85, 86), numbered(90, 102))
		merge(t, tbl)
		wantWord(t, rdb, name, "merging-whole", int64(len(want)))
		wantAll(t, tbl, want...)
		brake.release()
		ok(t, tbl.WaitClear(t.Context()))
		wantWord(t, rdb, name, "clear", 0)
		if n := rdb.Exists(t.Context(), name+":s", name+":x:at", name+":x:rank").Val(); n != 0 {
			t.Errorf("%d keys of what was staged are left", n)
		}
		wantAll(t, tbl, want...)
		put(t, tbl, numbered(0, 41)...)
		wantAll(t, tbl, append(numbered(0, 41), want...)...)
	})
}

func TestD12_AReloadWithNothing(t *testing.T) {
	fromEverywhere(t, func(t *testing.T, rdb redis.UniversalClient, name string) {
		brake := newBrake(t)
		tbl, err := table.Open(t.Context(), rdb, itemDefinition(name), table.WithCleanup(brake.pool))
		ok(t, err)
		defer tbl.Close()
		put(t, tbl, numbered(0, 5)...)
		wantDiscarded(t, tbl, tbl.All("at"), 5)
		merge(t, tbl)
		wantWord(t, rdb, name, "merging-whole", 0)
		wantAll(t, tbl)
		brake.release()
		ok(t, foldOrFail(t.Context(), tbl))
		wantAll(t, tbl)
		put(t, tbl, numbered(2, 9)...)
		wantAll(t, tbl, numbered(2, 9)...)
	})
}

func TestD12_OfAnEmptyTableNoSessionBegins(t *testing.T) {
	fromEverywhere(t, func(t *testing.T, rdb redis.UniversalClient, name string) {
		tbl, err := table.Open(t.Context(), rdb, itemDefinition(name))
		ok(t, err)
		defer tbl.Close()
		wantDiscarded(t, tbl, tbl.All("at"), 0)
		wantWord(t, rdb, name, "clear", 0)
		put(t, tbl, numbered(0, 2)...) // or it would wait
		ok(t, tbl.ScratchPut(t.Context(), numbered(5, 6)...))
		mergeAndFold(t, tbl)
		wantAll(t, tbl, append(numbered(0, 2), numbered(5, 6)...)...)
	})
}

func TestD12_WhatIsOfEverything(t *testing.T) {
	t.Parallel()
	inf := math.Inf(1)
	for what, c := range map[string]struct {
		change func(s *table.Spec[item])
		whole  bool
	}{
		"all":           {func(*table.Spec[item]) {}, true},
		"reversed":      {func(s *table.Spec[item]) { s.Reverse = true }, true},
		"many, covered": {func(s *table.Spec[item]) { s.Intervals = []table.Interval{{3, inf}, {7, 7}, {-inf, -1}, {-1, 3}} }, true},
		"a gap":         {func(s *table.Spec[item]) { s.Intervals = []table.Interval{{3, inf}, {-inf, math.Nextafter(3, 0)}} }, false},
		"an end":        {func(s *table.Spec[item]) { s.Intervals = []table.Interval{{-inf, math.MaxFloat64}} }, false},
		"a beginning":   {func(s *table.Spec[item]) { s.Intervals = []table.Interval{{-math.MaxFloat64, inf}} }, false},
		"a limit":       {func(s *table.Spec[item]) { s.Limit = 100 }, false},
		"a predicate":   {func(s *table.Spec[item]) { s.Recheck = func(*item) bool { return true } }, false},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			tbl, rdb := openItems(t), redistest.Shared(t).Client(t)
			put(t, tbl, numbered(0, 9)...)
			s := tbl.All("rank")
			c.change(&s)
			wantDiscarded(t, tbl, s, 9)
			if word := rdb.HGet(t.Context(), tbl.Name()+":m", "state").Val(); strings.HasSuffix(word, "-whole") != c.whole {
				t.Errorf("the state is %s", word)
			}
			mergeAndFold(t, tbl)
			wantAll(t, tbl)
		})
	}
	t.Run("none", func(t *testing.T) {
		t.Parallel()
		tbl := openItems(t)
		put(t, tbl, numbered(0, 9)...)
		wantDiscarded(t, tbl, table.Spec[item]{Index: "at"}, 0)
		wantState(t, tbl, table.StateClear)
	})
}

// A second discard of everything drops what was staged since the first. Beside what a session has staged that began otherwise,
// tombstones are staged as ever.
func TestD12_ADiscardOfEverythingInASession(t *testing.T) {
	t.Parallel()
	tbl, rdb := openItems(t), redistest.Shared(t).Client(t)
	stageWhole(t, tbl)
	wantDiscarded(t, tbl, tbl.All("rank"), 5)
	wantWord(t, rdb, tbl.Name(), "active-whole", 0)
	wantDiscarded(t, tbl, tbl.All("rank"), 0)
	ok(t, tbl.ScratchPut(t.Context(), numbered(9, 10)...))
	mergeAndFold(t, tbl)
	wantAll(t, tbl, numbered(9, 10)...)

	ok(t, tbl.ScratchPut(t.Context(), numbered(20, 22)...))
	wantDiscarded(t, tbl, tbl.All("at"), 3)
	wantWord(t, rdb, tbl.Name(), "active", 3)
	ok(t, tbl.ScratchPut(t.Context(), numbered(21, 22)...))
	mergeAndFold(t, tbl)
	wantAll(t, tbl, numbered(21, 22)...)
}

// Whatever ends a whole session, the next one is as any other.
func TestD12_TheWholeStateEnds(t *testing.T) {
	t.Parallel()
	reopened := func(opts ...table.Option) func(*testing.T, *items, redis.UniversalClient) *items {
		return func(t *testing.T, tbl *items, rdb redis.UniversalClient) *items {
			again := openOn(t, rdb, tbl.Name(), opts...)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			ok(t, again.WaitClear(ctx))
			return again
		}
	}
	same := func(call func(*items, context.Context) error) func(*testing.T, *items, redis.UniversalClient) *items {
		return func(t *testing.T, tbl *items, _ redis.UniversalClient) *items {
			ok(t, call(tbl, t.Context()))
			return tbl
		}
	}
	before, after := numbered(0, 5), numbered(3, 8)
	for end, c := range map[string]struct {
		do              func(*testing.T, *items, redis.UniversalClient) *items
		active, merging []item
	}{
		"abort":                                  {same((*items).ScratchAbort), before, nil},
		"clear":                                  {same((*items).Clear), []item{}, []item{}},
		"open":                                   {reopened(), before, after},
		"reset":                                  {reopened(table.WithReset()), []item{}, []item{}},
		"a take-over by an owner without a feed": {reopened(table.WithFeed(0)), before, after},
	} {
		for state, want := range map[string][]item{"active": c.active, "merging": c.merging} {
			if want == nil {
				continue
			}
			t.Run(end+"/"+state, func(t *testing.T) {
				t.Parallel()
				rdb, name, brake := redistest.Shared(t).Client(t), redistest.Prefix(t), newBrake(t)
				tbl := openOn(t, rdb, name, table.WithCleanup(brake.pool))
				stageWhole(t, tbl)
				if state == "merging" {
					merge(t, tbl)
				}
				tbl = c.do(t, tbl, rdb)
				wantWord(t, rdb, name, "clear", 0)
				wantAll(t, tbl, want...)
				brake.release()
				ok(t, tbl.ScratchPut(t.Context(), numbered(20, 21)...))
				wantWord(t, rdb, name, "active", 1)
				mergeAndFold(t, tbl)
				wantAll(t, tbl, append(want, numbered(20, 21)...)...)
			})
		}
	}
}

// The fold waits for a long read of the generation before, which reads on where its rows are.
func TestD12_TheFoldWaitsForOlderReads(t *testing.T) {
	t.Parallel()
	for way, page := range ways() {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			tbl := openItems(t, page, table.WithStreamBuffer(1), table.WithSnapshotGrace(time.Hour), table.WithSnapshotMemory(1))
			put(t, tbl, numbered(0, manyItems)...)
			wantDiscarded(t, tbl, tbl.All("at"), manyItems)
			s := stalled(t, tbl)
			ok(t, tbl.ScratchPut(t.Context(), numbered(0, 10)...))
			ok(t, tbl.ScratchMerge(t.Context()))
			wantAll(t, tbl, numbered(0, 10)...)
			wantState(t, tbl, table.StateMerging)
			wantItems(t, slices.Collect(received(s.C())), numbered(1, manyItems))
			ok(t, s.Err())
			ok(t, tbl.WaitClear(t.Context()))
			wantAll(t, tbl, numbered(0, 10)...)
		})
	}
}

// ways are sizes of pages that are read by ranks, and by scripts.
func ways() map[string]table.Option {
	return map[string]table.Option{"ranks": smallPages(), "scripts": table.WithPageBytes(1)}
}

// keysRead is a hook that notes which keys plain commands have read.
type keysRead struct {
	before
	mu  sync.Mutex
	all map[string]int
}

func readsOf(rdb *redis.Client) *keysRead {
	k := &keysRead{all: make(map[string]int)}
	k.do = func() {}
	k.sent = func(cmds []redis.Cmder) {
		k.mu.Lock()
		defer k.mu.Unlock()
		for _, cmd := range cmds {
			if args := cmd.Args(); len(args) > 1 {
				if key, is := args[1].(*string); is {
					k.all[*key]++
				}
			}
		}
	}
	rdb.AddHook(k)
	return k
}

func (k *keysRead) of(key string) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.all[key]
}

// A long read that begins while merging goes on over the fold: its rows move from one key to another, and have the same ranks there.
func TestD12_LongReadsSpanTheFold(t *testing.T) {
	t.Parallel()
	for way, page := range ways() {
		for _, reverse := range []bool{false, true} {
			t.Run(way, func(t *testing.T) {
				t.Parallel()
				rdb, name, brake := redistest.Shared(t).Client(t), redistest.Prefix(t), newBrake(t)
				tbl := openOn(t, rdb, name, page, table.WithCleanup(brake.pool), table.WithStreamBuffer(1), table.WithSnapshotMemory(1))
				put(t, tbl, numbered(500, 600)...)
				wantDiscarded(t, tbl, tbl.All("at"), 100)
				ok(t, tbl.ScratchPut(t.Context(), numbered(0, manyItems)...))
				merge(t, tbl)
				read := readsOf(rdb)
				spec, want := tbl.All("at"), numbered(0, manyItems)
				if reverse {
					slices.Reverse(want)
					spec = spec.Reversed()
				}
				var got []item
				for i, err := range tbl.Records(t.Context(), spec) {
					ok(t, err)
					if got = append(got, i); len(got) == manyItems/2 {
						brake.release()
						ok(t, tbl.WaitClear(t.Context()))
					}
				}
				wantItems(t, got, want)
				if staged, merged := read.of(name+":x:at"), read.of(name+":i:at"); way == "ranks" && (staged < 3 || merged < 3) {
					t.Errorf("%d plain commands were of the staged index, %d of the merged one", staged, merged)
				}
			})
		}
	}
}

// Short ranges are read by plain commands of the staged keys while merging, and of the merged ones after the fold.
func TestD12_ManyShortReads(t *testing.T) {
	t.Parallel()
	rdb, name, brake := redistest.Shared(t).Client(t), redistest.Prefix(t), newBrake(t)
	tbl := openOn(t, rdb, name, table.WithCleanup(brake.pool))
	put(t, tbl, ofGeneration(100, 0)...)
	wantDiscarded(t, tbl, tbl.All("at"), 100)
	ok(t, tbl.ScratchPut(t.Context(), ofGeneration(100, 1)...))
	merge(t, tbl)
	read := readsOf(rdb)
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for ctx.Err() == nil {
				records, err := table.Collect(tbl.Records(t.Context(), tbl.Range("at", 100, 300)))
				report(t, err)
				if len(records) != 20 || slices.ContainsFunc(records, func(i item) bool { return i.Rank != 1 }) {
					t.Errorf("read %v", records)
					return
				}
			}
		})
	}
	until(t, "plain commands of staged keys", func() bool { return read.of(name+":x:at") > 100 || t.Failed() })
	brake.release()
	ok(t, tbl.WaitClear(t.Context()))
	until(t, "plain commands of merged keys", func() bool { return read.of(name+":i:at") > 100 || t.Failed() })
	cancel()
	all.Wait()
}

// Who follows is told of everything in a short entry, also where the feed is too small for what is staged.
func TestD12_FollowersAreTold(t *testing.T) {
	t.Parallel()
	for what, feed := range map[string]int64{"whole": 1 << 20, "in part": 20_000} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			brake := newBrake(t)
			tbl := openItems(t, table.WithFeed(feed), table.WithCleanup(brake.pool))
			put(t, tbl, numbered(0, 50)...)
			c := newTwin()
			follow(t, redistest.Shared(t).Client(t), tbl.Name(), c)
			c.untilAt(t, tbl.Position())
			for range 20 {
				ok(t, tbl.ScratchPut(t.Context(), numbered(100, 200)...))
			}
			ok(t, tbl.ScratchAbort(t.Context()))
			wantDiscarded(t, tbl, tbl.All("at"), 50)
			for range 10 {
				ok(t, tbl.ScratchPut(t.Context(), numbered(100, 200)...))
			}
			wantDiscarded(t, tbl, tbl.All("at"), 100) // what was staged before need not be known any more
			ok(t, tbl.ScratchPut(t.Context(), numbered(45, 55)...))
			c.untilAt(t, tbl.Position())
			copies := c.copies
			merge(t, tbl)
			c.untilAt(t, tbl.Position())
			if got := keysOf(c.moments[tbl.Position()]); !slices.Equal(got, keysOf(numbered(45, 55))) || c.copies != copies {
				t.Errorf("the follower has %v after %d copies, %d before the merge", got, c.copies, copies)
			}
			late := newTwin() // begins while merging
			follow(t, redistest.Shared(t).Client(t), tbl.Name(), late)
			late.untilAt(t, tbl.Position())
			brake.release()
			ok(t, tbl.WaitClear(t.Context()))
			put(t, tbl, numbered(70, 71)...)
			for _, c := range []*twin{c, late} {
				c.untilAt(t, tbl.Position())
				if got := keysOf(c.moments[tbl.Position()]); !slices.Equal(got, append(keysOf(numbered(45, 55)), 70)) {
					t.Errorf("a follower has %v", got)
				}
			}
		})
	}
}

// replyLoser is a hook that, once armed, loses the reply to the next script.
type replyLoser struct {
	counter
	armed atomic.Bool
}

func (l *replyLoser) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if cmd.Name() == "evalsha" && l.armed.CompareAndSwap(true, false) {
			cmd.SetErr(io.EOF)
			return io.EOF
		}
		return err
	}
}

func (l *replyLoser) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := next(ctx, cmds)
		if slices.ContainsFunc(cmds, func(c redis.Cmder) bool { return c.Name() == "evalsha" }) && l.armed.CompareAndSwap(true, false) {
			for _, cmd := range cmds {
				cmd.SetErr(io.EOF)
			}
			return io.EOF
		}
		return err
	}
}

// A reply that was lost is found again, with its count (G9).
func TestD12_TheCountIsKept(t *testing.T) {
	t.Parallel()
	s, name := redistest.Shared(t), redistest.Prefix(t)
	rdb := s.Client(t)
	tbl := openOn(t, rdb, name)
	put(t, tbl, numbered(0, 50)...)
	lose := &replyLoser{}
	rdb.AddHook(lose)
	lose.armed.Store(true)
	wantDiscarded(t, tbl, tbl.All("at"), 50)
	if lose.armed.Load() {
		t.Error("no reply was lost")
	}
	wantWord(t, s.Client(t), name, "active-whole", 0)
	ok(t, tbl.ScratchAbort(t.Context()))
	wantAll(t, tbl, numbered(0, 50)...)
}

// Who may not rename is told at the discard, not at a fold that could never end.
func TestD12_WithoutThePermissionToRename(t *testing.T) {
	t.Parallel()
	s, name := redistest.Shared(t), redistest.Prefix(t)
	rdb := limited(t, s, name, slices.DeleteFunc(ruleOn(t, s, name), func(part string) bool { return part == "+rename" }))
	tbl := openAs(t, rdb, s.Client(t), itemDefinition(name), []string{"at", "rank"})
	put(t, tbl, numbered(0, 5)...)
	if _, err := tbl.ScratchDiscard(t.Context(), tbl.All("at")); !wire.IsForbidden(err) || errors.Is(err, table.ErrUnknownOutcome) {
		t.Errorf("got %v, want a refusal", err)
	}
	wantState(t, tbl, table.StateClear)
}
