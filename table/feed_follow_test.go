package table_test

import (
	"context"
	"errors"
	gomaps "maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
	"github.com/tablecache-go/tablecache/table/internal/feed"
	"github.com/tablecache-go/tablecache/table/internal/layout"
)

// followed is a row with its scores, as a follower knows it; an empty row is a tombstone.
type followed struct {
	row      string
	at, rank float64
}

// follower applies what the feed tells onto what it has.
type follower struct {
	*fed
	rows, staged map[string]followed
	whole        bool // staged stands for the whole table
	partly       bool // not all of the session was told
	through      bool // the owner has WithWriteThrough
	copies       int
}

func newFollower(f *fed) *follower {
	return &follower{fed: f, rows: map[string]followed{}, staged: map[string]followed{}}
}

// follow applies all entries since the last time.
func (w *follower) follow() {
	w.Helper()
	for _, e := range w.read() {
		if err := w.apply(&e); err != nil {
			w.Fatal(err)
		}
	}
}

func (w *follower) apply(e *feed.Entry) error {
	switch e.Kind {
	case layout.KindPut, layout.KindStage:
		return w.store(e)
	case layout.KindDelete, layout.KindDiscard:
		return w.remove(e)
	case layout.KindApply:
		if err := w.store(e); err != nil {
			return err
		}
		return w.remove(e)
	case layout.KindMerge:
		if w.whole {
			clear(w.rows)
		}
		for key, r := range w.staged {
			if w.rows[key] = r; r.row == "" {
				delete(w.rows, key)
			}
		}
		w.copyIf(w.partly)
		w.endSession()
	case layout.KindAbort, layout.KindClaim:
		w.endSession()
	case layout.KindClear, layout.KindReset:
		clear(w.rows)
		w.endSession()
	case layout.KindRepair:
		w.copyIf(true)
	case layout.KindBurn:
	default:
		return errors.New("an entry of kind " + string(e.Kind))
	}
	return nil
}

func (w *follower) endSession() {
	clear(w.staged)
	w.partly, w.whole = false, false
}

func (w *follower) store(e *feed.Entry) error {
	into := w.rows
	if e.Kind == layout.KindStage {
		into, w.partly = w.staged, w.partly || !e.IsTold()
	}
	w.copyIf(e.Kind != layout.KindStage && !e.IsTold())
	rows, err := e.Rows(2)
	for _, r := range rows {
		delete(w.staged, string(r.Key))
		row := followed{string(r.Row[layout.GenerationBytes:]), r.Score(0), r.Score(1)}
		if into[string(r.Key)] = row; w.whole {
			w.staged[string(r.Key)] = row
		}
	}
	return err
}

// begin begins a session in which what is staged stands for the whole table. What was written through is in it.
func (w *follower) begin(e *feed.Entry) error {
	w.endSession()
	w.whole = true
	rows, err := e.Rows(2)
	for _, r := range rows {
		w.staged[string(r.Key)] = followed{string(r.Row[layout.GenerationBytes:]), r.Score(0), r.Score(1)}
	}
	return err
}

func (w *follower) remove(e *feed.Entry) error {
	switch {
	case e.All && e.Kind == layout.KindDiscard:
		return w.begin(e)
	case e.All:
		clear(w.rows)
	case !e.IsTold():
		w.partly = w.partly || e.Kind == layout.KindDiscard
		w.copyIf(e.Kind != layout.KindDiscard)
		return nil
	}
	keys, err := e.Keys()
	for _, key := range keys {
		if e.Kind != layout.KindDiscard {
			delete(w.rows, string(key))
			delete(w.staged, string(key))
		} else {
			w.staged[string(key)] = followed{}
		}
	}
	return err
}

// copyIf takes a new copy. Nothing else is under way, so that it is of the position of the entry or later ones.
func (w *follower) copyIf(needed bool) {
	if needed {
		w.rows = w.stored()
		w.partly = w.partly || w.whole || len(w.staged) > 0 // nobody knows what was written through
		w.copies++
	}
}

// stored is what readers of the table see at one moment: a fold may be under way.
func (w *follower) stored() map[string]followed {
	w.Helper()
	ctx := context.Background()
	p := w.rdb.TxPipeline()
	state, merged, staged := p.HGet(ctx, w.name+":m", "state"), w.queueHash(p, ":r", ":i:"), w.queueHash(p, ":s", ":x:")
	_, err := p.Exec(ctx)
	ok(w, err)
	all := merged()
	if state.Val() == "merging-whole" {
		return staged()
	}
	if state.Val() == "merging" {
		gomaps.Copy(all, staged())
	}
	gomaps.DeleteFunc(all, func(_ string, r followed) bool { return r.row == "" })
	return all
}

// queueHash queues the commands that read a hash and its sorted sets, and returns a function that tells what they have brought.
func (w *follower) queueHash(p redis.Pipeliner, hash, set string) func() map[string]followed {
	ctx := context.Background()
	rows := p.HGetAll(ctx, w.name+hash)
	ats, ranks := p.ZRangeWithScores(ctx, w.name+set+"at", 0, -1), p.ZRangeWithScores(ctx, w.name+set+"rank", 0, -1)
	return func() map[string]followed {
		all := make(map[string]followed)
		at, rank := scoresIn(ats.Val()), scoresIn(ranks.Val())
		for key, row := range rows.Val() {
			all[key] = followed{row[layout.GenerationBytes:], at[key], rank[key]}
		}
		return all
	}
}

func scoresIn(entries []redis.Z) map[string]float64 {
	scores := make(map[string]float64, len(entries))
	for _, e := range entries {
		scores[e.Member.(string)] = e.Score
	}
	return scores
}

// equals checks that the follower has what readers see.
func (w *follower) equals(after string) {
	w.Helper()
	if want := w.stored(); !gomaps.Equal(w.rows, want) {
		w.Errorf("after %s the follower has %d rows, the table %d, or they differ", after, len(w.rows), len(want))
	}
}

// Whoever applies the feed onto nothing has, after each step, exactly what readers see: through merges and aborts, take-overs while
// a session is on, resets, burned numbers, repairs, and bodies that are left out.
func TestF3_WhoFollowsTheFeedHasTheTable(t *testing.T) {
	t.Parallel()
	copies := 0
	rapid.Check(t, func(rt *rapid.T) {
		limit := rapid.SampledFrom([]int64{4000, 20_000, 16 << 20}).Draw(rt, "feed")
		opts := []table.Option{table.WithFeed(limit)}
		through := rapid.Bool().Draw(rt, "through")
		if through {
			opts = append(opts, table.WithWriteThrough())
		}
		w := newFollower(newFed(t, opts...))
		if limit > 20_000 { // the others forget too soon what several steps have told
			w.owned.AddHook(redistest.ShortSteps(4))
		}
		w.through = through
		steps := w.steps(rt)
		names := slices.Sorted(gomaps.Keys(steps))
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			name := rapid.SampledFrom(names).Draw(rt, "step")
			ok(t, steps[name](t.Context()))
			w.follow()
			w.equals(name)
			if t.Failed() {
				rt.FailNow()
			}
		}
		copies += w.copies
		ok(t, w.table.Close())
	})
	if copies == 0 {
		t.Error("nothing was left out of the feed")
	}
}

// steps are what may happen to a table; those that cannot be in a state of the lock do nothing.
func (w *follower) steps(rt *rapid.T) map[string]func(context.Context) error {
	n := func(most int) int { return rapid.IntRange(0, most).Draw(rt, "n") }
	rows := func() []item { from := n(30); return numbered(from, from+1+n(20)) }
	regular := func(do func(context.Context) error) func(context.Context) error {
		return func(ctx context.Context) error {
			if stats(w, w.table).State == table.StateActive {
				return nil
			}
			return do(ctx)
		}
	}
	through := func(do func(context.Context) error) func(context.Context) error { return do }
	if !w.through {
		through = regular
	}
	span := func() table.Spec[item] { from := float64(10 * n(40)); return w.table.Range("at", from, from+100) }
	return map[string]func(context.Context) error{
		"put":  through(func(ctx context.Context) error { return w.table.Put(ctx, rows()...) }),
		"burn": through(func(ctx context.Context) error { w.cut.armed.Store(true); return w.table.Put(ctx, rows()...) }),
		"apply": through(func(ctx context.Context) error {
			return w.table.Apply(ctx, batch{Put: rows(), Delete: []int64{int64(60 + n(20)), 99}, Note: []byte(strings.Repeat("n", n(200)))})
		}),
		"update": through(func(ctx context.Context) error {
			err := w.table.Update(ctx, int64(n(40)), func(i *item) error { i.At++; return nil })
			if errors.Is(err, table.ErrNotFound) {
				return nil
			}
			return err
		}),
		"keys": through(func(ctx context.Context) error {
			_, err := w.table.DeleteKeys(ctx, int64(n(40)), int64(n(40)), 99)
			return err
		}),
		"delete": regular(func(ctx context.Context) error { _, err := w.table.Delete(ctx, span()); return err }),
		"stage":  func(ctx context.Context) error { return w.table.ScratchPut(ctx, rows()...) },
		"discard": func(ctx context.Context) error {
			_, err := w.table.ScratchDiscard(ctx, span())
			return err
		},
		"discard all": func(ctx context.Context) error { _, err := w.table.ScratchDiscard(ctx, w.table.All("at")); return err },
		"delete all":  regular(func(ctx context.Context) error { _, err := w.table.Delete(ctx, w.table.All("at")); return err }),
		"session":     w.session(rows(), rows()),
		"merge":       func(ctx context.Context) error { return w.table.ScratchMerge(ctx) },
		"abort":       func(ctx context.Context) error { return w.table.ScratchAbort(ctx) },
		"clear":       func(ctx context.Context) error { return w.table.Clear(ctx) },
		"take-over":   func(context.Context) error { w.open(); return nil },
		"reset":       func(context.Context) error { w.open(table.WithReset()); return nil },
		"repair": regular(func(ctx context.Context) error {
			ok(w, w.table.WaitClear(ctx))
			w.damage()
			_, err := w.table.Repair(ctx)
			return err
		}),
	}
}

// session is a session with a holder, while which others write before everything is discarded. A small feed soon forgets, so it is read
// after each effect.
func (w *follower) session(before, after []item) func(context.Context) error {
	return func(ctx context.Context) error {
		if stats(w, w.table).State != table.StateClear {
			return nil
		}
		s, err := w.table.Scratch(ctx)
		ok(w, err)
		for _, do := range []func() error{
			func() error { return w.table.Put(ctx, before...) },
			func() error { _, err := s.Discard(ctx, w.table.All("at")); return err },
			func() error { return s.Put(ctx, after...) },
		} {
			ok(w, do())
			w.follow()
		}
		return s.Merge(ctx, nil)
	}
}

// sizeOfFeed is how many bytes the entries have, with about what they take beside their bodies.
func (f *fed) sizeOfFeed() (bytes int) {
	f.Helper()
	for _, e := range toldSince(f, f.rdb, f.name, layout.Position{Epoch: "0:0"}) {
		bytes += len(e.Body) + 128
	}
	return bytes
}

// The feed stays below its limit, and below twice that after a take-over, however many owners there were before.
func TestF5_TheFeedIsBounded(t *testing.T) {
	t.Parallel()
	const limit = 20_000
	f := newFed(t, table.WithFeed(limit))
	for n := range 100 {
		put(t, f.table, numbered(n, n+10)...)
	}
	if got := f.sizeOfFeed(); got > limit+128 || got < limit/2 { // and the claim
		t.Errorf("%d bytes, want up to %d", got, limit)
	}
	for range 4 {
		f.open()
		first := truthAt(t, f.rdb, f.name)
		for n := range 100 {
			put(t, f.table, numbered(n, n+10)...)
			if got := f.sizeOfFeed(); got > 2*(limit+128) {
				t.Fatalf("%d bytes after a take-over, want up to %d", got, 2*limit)
			}
		}
		if e := toldSince(t, f.rdb, f.name, layout.Position{Epoch: "0:0"})[0]; e.At.Epoch != first.Epoch {
			t.Errorf("what an earlier owner has told is still there: %v", e.At)
		}
		for n := range 20 { // not enough to drop what the one before has told
			put(t, f.table, numbered(n, n+10)...)
		}
	}
}

// Owners that tell less than the limit each do not let the feed grow together.
func TestF5_ManyShortOwnersAreBoundedToo(t *testing.T) {
	t.Parallel()
	const limit = 20_000
	f := newFed(t, table.WithFeed(limit))
	for range 10 {
		for n := range 15 {
			put(t, f.table, numbered(n, n+10)...)
		}
		f.open()
		if got := f.sizeOfFeed(); got > 2*limit {
			t.Fatalf("%d bytes, want up to %d", got, 2*limit)
		}
	}
}

// An effect of more than 1 MiB is told without its body.
func TestF3_ALargeEffectIsToldWithoutItsBody(t *testing.T) {
	t.Parallel()
	f := newFed(t)
	put(t, f.table, item{ID: 1, Name: strings.Repeat("x", 1<<20)}, item{ID: 2})
	put(t, f.table, item{ID: 3})
	entries := f.read()
	if len(entries) != 3 || entries[1].IsTold() || !entries[2].IsTold() {
		t.Errorf("%d entries, told: %v, %v", len(entries), entries[1].IsTold(), entries[2].IsTold())
	}
}

// Without a feed there is no key, and nothing is sent for it; a feed of an earlier owner is removed.
func TestF6_WithoutAFeedNothingIsPaid(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t, redistest.Options{}).Client(t)
	put(t, openOn(t, rdb, "t"), numbered(0, 5)...)
	tbl := openOn(t, rdb, "t", table.WithFeed(0))
	ok(t, rdb.ConfigResetStat(t.Context()).Err())
	for range 3 {
		put(t, tbl, numbered(0, 5)...)
	}
	_, err := tbl.DeleteKeys(t.Context(), 1)
	ok(t, err)
	ok(t, tbl.ScratchPut(t.Context(), numbered(7, 9)...))
	mergeAndFold(t, tbl)
	ok(t, tbl.Clear(t.Context()))
	if text := rdb.Info(t.Context(), "commandstats").Val(); strings.Contains(text, "cmdstat_xadd") || strings.Contains(text, "cmdstat_xrange") {
		t.Error("something was sent for the feed")
	}
	if n := rdb.Exists(t.Context(), "t:f").Val(); n != 0 {
		t.Error("there is a feed")
	}
	wantProblems(t, tbl)
}

// Something else under the feed's key, or an entry ahead of the table's number, is ErrLost before anything is written.
func TestF1_AFeedThatTakesNoEntryIsErrLost(t *testing.T) {
	t.Parallel()
	for what, spoil := range map[string]func(context.Context, *redis.Client, string) error{
		"foreign": func(ctx context.Context, rdb *redis.Client, key string) error {
			return errors.Join(rdb.Del(ctx, key).Err(), rdb.Set(ctx, key, "x", 0).Err())
		},
		"ahead": func(ctx context.Context, rdb *redis.Client, key string) error {
			return rdb.XAdd(ctx, &redis.XAddArgs{Stream: key, ID: strconv.Itoa(1<<40) + "-1", Values: []string{"e", "x"}}).Err()
		},
	} {
		for which, write := range map[string]func(context.Context, *items) error{
			"put":    func(ctx context.Context, tbl *items) error { return tbl.Put(ctx, numbered(5, 9)...) },
			"delete": func(ctx context.Context, tbl *items) error { _, err := tbl.DeleteKeys(ctx, 1); return err },
			"apply":  func(ctx context.Context, tbl *items) error { return tbl.Apply(ctx, batch{Note: []byte("n")}) },
			"update": func(ctx context.Context, tbl *items) error { return tbl.Update(ctx, 1, renamed("u")) },
			"stage":  func(ctx context.Context, tbl *items) error { return tbl.ScratchPut(ctx, numbered(5, 9)...) },
			"clear":  func(ctx context.Context, tbl *items) error { return tbl.Clear(ctx) },
			"open": func(ctx context.Context, tbl *items) error {
				_, err := table.Open(ctx, redistest.Shared(t).Client(t), itemDefinition(tbl.Name()))
				return err
			},
		} {
			t.Run(what+"/"+which, func(t *testing.T) {
				t.Parallel()
				rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
				tbl, err := table.Open(t.Context(), rdb, itemDefinition(name))
				ok(t, err)
				t.Cleanup(func() { tbl.Close() })
				put(t, tbl, numbered(0, 3)...)
				put(t, tbl, numbered(0, 3)...)
				ok(t, spoil(t.Context(), rdb, name+":f"))
				before := dump(t, rdb, name)
				if err := write(t.Context(), tbl); !errors.Is(err, table.ErrLost) {
					t.Errorf("got %v, want ErrLost", err)
				}
				wantUntouched(t, rdb, name, before)
			})
		}
	}
}

// A feed that is out of step is found, and dropped by Repair, on a table that has said ErrLost too; a new one begins.
func TestF1_RepairDropsAFeedThatIsOutOfStep(t *testing.T) {
	t.Parallel()
	for what, lost := range map[string]bool{"unnoticed": false, "lost": true} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
			tbl := openOn(t, rdb, name)
			put(t, tbl, numbered(0, 3)...)
			ok(t, rdb.XAdd(t.Context(), &redis.XAddArgs{Stream: name + ":f", ID: "99999999-1", Values: []string{"e", "x"}}).Err())
			wantProblems(t, tbl, table.Problem{Kind: table.FeedOutOfStep})
			if lost {
				if err := tbl.Put(t.Context(), numbered(0, 3)...); !errors.Is(err, table.ErrLost) {
					t.Errorf("got %v, want ErrLost", err)
				}
			}
			_, err := tbl.Repair(t.Context())
			ok(t, err)
			wantProblems(t, tbl)
			again := openOn(t, rdb, name)
			put(t, again, numbered(3, 5)...)
			wantIDs(t, again, again.All("at"), 0, 1, 2, 3, 4)
		})
	}
}

// Out of memory a put is refused whole, and appends nothing.
func TestF1_APutThatIsRefusedAppendsNothing(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t, redistest.Options{}).Client(t)
	tbl := openOn(t, rdb, "t")
	for range 3 {
		put(t, tbl, numbered(0, 5)...)
	}
	before, told := dump(t, rdb, "t"), rdb.XLen(t.Context(), "t:f").Val()
	ok(t, rdb.ConfigSet(t.Context(), "maxmemory", "1").Err())
	if err := tbl.Put(t.Context(), numbered(5, 9)...); !redis.IsOOMError(err) {
		t.Errorf("got %v, want out of memory", err)
	}
	ok(t, rdb.ConfigSet(t.Context(), "maxmemory", "0").Err())
	now := rdb.XLen(t.Context(), "t:f").Val()
	entries := toldSince(t, rdb, "t", layout.Position{Epoch: "0:0"})
	for _, e := range entries[told:] {
		if e.Kind != layout.KindBurn {
			t.Errorf("told a %s", e.Kind)
		}
	}
	if now == told {
		wantUntouched(t, rdb, "t", before)
	}
	wantIDs(t, tbl, tbl.All("at"), 0, 1, 2, 3, 4)
}

// Drop removes the feed with the table.
func TestF1_DropRemovesTheFeed(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl, err := table.Open(t.Context(), rdb, itemDefinition(name))
	ok(t, err)
	put(t, tbl, numbered(0, 3)...)
	ok(t, tbl.Close())
	ok(t, table.Drop(t.Context(), rdb, name))
	if n := rdb.Exists(t.Context(), name+":f").Val(); n != 0 {
		t.Error("the feed is still there")
	}
}
