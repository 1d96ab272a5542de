package table_test

import (
	"context"
	"encoding"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
	"github.com/tablecache-go/tablecache/table/internal/feed"
	"github.com/tablecache-go/tablecache/table/internal/layout"
)

// toldSince returns the entries behind a position.
func toldSince(t testing.TB, rdb *redis.Client, name string, from layout.Position) []feed.Entry {
	t.Helper()
	cmd := redis.NewRawCmd(context.Background(), "xrange", name+":f", layout.BehindID(from.Epoch, from.Seq), "+")
	ok(t, rdb.Process(context.Background(), cmd))
	entries, err := feed.ReadEntries(cmd.Val())
	ok(t, err)
	return entries
}

// truthAt returns where the truth says that a table is.
func truthAt(t testing.TB, rdb *redis.Client, name string) layout.Position {
	t.Helper()
	var seq uint64
	fields := rdb.HMGet(context.Background(), name+":m", "epoch", "seq").Val()
	_, err := fmt.Sscan(fields[1].(string), &seq)
	ok(t, err)
	return layout.Position{Epoch: layout.Epoch(fields[0].(string)), Seq: seq}
}

// cutter is a hook that, once armed, lets the next write leave and never arrive: its outcome is unknown, and it is burned.
type cutter struct {
	counter
	armed atomic.Bool
}

func (c *cutter) cuts(cmds ...redis.Cmder) bool {
	isWrite := func(cmd redis.Cmder) bool { return cmd.Name() == "eval" || cmd.Name() == "evalsha" }
	if !slices.ContainsFunc(cmds, isWrite) || !c.armed.CompareAndSwap(true, false) {
		return false
	}
	for _, cmd := range cmds {
		for _, arg := range cmd.Args() {
			if m, is := arg.(encoding.BinaryMarshaler); is {
				_, _ = m.MarshalBinary() // as if it were written
			}
		}
		cmd.SetErr(io.EOF)
	}
	return true
}

func (c *cutter) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if c.cuts(cmd) {
			return io.EOF
		}
		return next(ctx, cmd)
	}
}

func (c *cutter) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if c.cuts(cmds...) {
			return io.EOF
		}
		return next(ctx, cmds)
	}
}

// fed is a table whose feed a test reads.
type fed struct {
	testing.TB
	rdb, owned *redis.Client // owned is the table's own, with the cutter
	cut        *cutter
	name       string
	table      *items
	at         layout.Position // how far the feed was read
	opts       []table.Option
}

func newFed(t testing.TB, opts ...table.Option) *fed {
	t.Helper()
	f := &fed{TB: t, rdb: redistest.Shared(t).Client(t), owned: redistest.Shared(t).Client(t), cut: new(cutter), name: redistest.Prefix(t), opts: opts}
	f.owned.AddHook(f.cut)
	f.open()
	return f
}

// open opens the table; an earlier owner is not closed before.
func (f *fed) open(opts ...table.Option) {
	f.Helper()
	f.table = openOn(f, f.owned, f.name, append(opts, f.opts...)...)
}

// read returns the entries since the last read, and checks that they follow each other up to the truth's number.
func (f *fed) read() []feed.Entry {
	f.Helper()
	from := f.at
	if from == (layout.Position{}) {
		from = layout.Position{Epoch: "0:0"}
	}
	entries := toldSince(f, f.rdb, f.name, from)
	if err := feed.Link(f.at, entries); err != nil {
		f.Errorf("%v: %+v behind %v", err, entries, f.at)
	}
	if len(entries) > 0 {
		f.at = entries[len(entries)-1].At
	}
	if now := truthAt(f, f.rdb, f.name); f.at != now {
		f.Errorf("the feed ends at %v, the table is at %v", f.at, now)
	}
	return entries
}

// tells does something, and compares the kinds of the entries that it has appended.
func (f *fed) tells(what string, do func(context.Context) error, want ...layout.Kind) {
	f.Helper()
	ok(f, do(f.Context()))
	var got []layout.Kind
	for _, e := range f.read() {
		got = append(got, e.Kind)
	}
	if !slices.Equal(got, want) {
		f.Errorf("%s: told %v, want %v", what, got, want)
	}
}

// Whatever way an effect takes, it appends exactly one entry, in the step that applies it: the id is its number, the epoch is
// whole, and the predecessor is the one before.
func TestF1_EachEffectIsOneEntry(t *testing.T) {
	t.Parallel()
	f := newFed(t)
	stage := func(ctx context.Context) error { return f.table.ScratchPut(ctx, numbered(8, 12)...) }
	discard := func(ctx context.Context) error {
		_, err := f.table.ScratchDiscard(ctx, f.table.Range("at", 0, 30))
		return err
	}
	puts := func(ctx context.Context) error { return f.table.Put(ctx, numbered(0, 10)...) }
	f.tells("open", func(context.Context) error { return nil }, layout.KindClaim)
	f.tells("put by script", puts, layout.KindPut)
	f.tells("put by transaction", puts, layout.KindPut)
	f.tells("delete of keys, by script", func(ctx context.Context) error { _, err := f.table.DeleteKeys(ctx, 1, 99); return err }, layout.KindDelete)
	f.tells("delete by place", func(ctx context.Context) error {
		_, err := f.table.Delete(ctx, f.table.Range("at", 20, 30))
		return err
	}, layout.KindDelete)
	f.tells("delete with a predicate, by transaction", func(ctx context.Context) error {
		_, err := f.table.Delete(ctx, f.table.Range("at", 0, 10).Where(func(*item) bool { return true }))
		return err
	}, layout.KindDelete)
	f.tells("delete of everything", func(ctx context.Context) error { _, err := f.table.Delete(ctx, f.table.All("at")); return err },
		layout.KindDelete)
	f.tells("put", puts, layout.KindPut)
	apply := func(ctx context.Context) error {
		return f.table.Apply(ctx, batch{Put: numbered(2, 4), Delete: []int64{98, 99}, Note: []byte("n")})
	}
	f.tells("apply by script", apply, layout.KindApply)
	f.tells("apply by transaction", apply, layout.KindApply)
	f.tells("a note alone", func(ctx context.Context) error { return f.table.Apply(ctx, batch{Note: []byte{}}) }, layout.KindApply)
	f.tells("an empty batch", func(ctx context.Context) error { return f.table.Apply(ctx, batch{}) })
	f.tells("update by transaction", func(ctx context.Context) error { return f.table.Update(ctx, 2, renamed("u")) }, layout.KindPut)
	f.tells("update of what was put meanwhile", func(ctx context.Context) error {
		first := true
		return f.table.Update(ctx, 2, func(i *item) error {
			if first {
				first = false
				return f.table.Put(ctx, item{ID: 2, Name: "other", At: 20})
			}
			return nil
		})
	}, layout.KindPut, layout.KindPut)
	f.tells("an apply that is burned, and sent again", func(ctx context.Context) error { f.cut.armed.Store(true); return apply(ctx) },
		layout.KindBurn, layout.KindApply)
	f.tells("delete of nothing", func(ctx context.Context) error { _, err := f.table.DeleteKeys(ctx, 99); return err }, layout.KindDelete)
	f.tells("a put that is burned, and sent again", func(ctx context.Context) error { f.cut.armed.Store(true); return puts(ctx) },
		layout.KindBurn, layout.KindPut)
	f.tells("stage", stage, layout.KindStage)
	f.tells("stage by transaction", stage, layout.KindStage)
	f.tells("discard", discard, layout.KindDiscard)
	f.tells("merge, whose fold tells nothing", func(context.Context) error { mergeAndFold(f, f.table); return nil }, layout.KindMerge)
	f.tells("stage", stage, layout.KindStage)
	f.tells("abort", f.table.ScratchAbort, layout.KindAbort)
	discardAll := func(ctx context.Context) error {
		_, err := f.table.ScratchDiscard(ctx, f.table.All("at"))
		return err
	}
	f.tells("discard of everything", discardAll, layout.KindDiscard)
	f.tells("stage for everything", stage, layout.KindStage)
	f.tells("discard of everything again, which is burned, and sent again",
		func(ctx context.Context) error { f.cut.armed.Store(true); return discardAll(ctx) }, layout.KindBurn, layout.KindDiscard)
	f.tells("stage for everything again", stage, layout.KindStage)
	f.tells("merge of everything, whose fold tells nothing", func(context.Context) error { mergeAndFold(f, f.table); return nil }, layout.KindMerge)
	f.tells("repair of a sound table", func(ctx context.Context) error { _, err := f.table.Repair(ctx); return err })
	f.tells("repair", func(ctx context.Context) error {
		f.damage()
		_, err := f.table.Repair(ctx)
		return err
	}, layout.KindRepair, layout.KindRepair)
	f.tells("clear", f.table.Clear, layout.KindClear)
	f.tells("discard of everything, which is nothing", discardAll, layout.KindDiscard)
	f.tells("stage, and another owner", func(ctx context.Context) error { defer f.open(); return stage(ctx) }, layout.KindStage, layout.KindClaim)
	f.tells("reset", func(context.Context) error { f.open(table.WithReset()); return nil }, layout.KindReset)
	f.tells("puts that are joined", f.putAtOnce, layout.KindStage, layout.KindAbort, layout.KindPut)
}

// putAtOnce has puts wait together for the end of a scratch session.
func (f *fed) putAtOnce(ctx context.Context) error {
	errs := []error{f.table.ScratchPut(ctx, numbered(0, 1)...)}
	var puts []<-chan error
	for i := range 3 {
		puts = append(puts, async(f, func() error { return f.table.Put(ctx, numbered(i, i+2)...) }))
	}
	until(f, "the puts to wait", func() bool { return stats(f, f.table).Mailbox == len(puts) })
	errs = append(errs, f.table.ScratchAbort(ctx))
	for _, put := range puts {
		errs = append(errs, receive(f, "a put", put))
	}
	return errors.Join(errs...)
}

// damage makes an entry without a row in each index.
func (f *fed) damage() {
	for _, index := range []string{"at", "rank"} {
		ok(f, f.rdb.ZAdd(f.Context(), f.name+":i:"+index, score(77, 5)).Err())
	}
}

// Each thing that Repair mends is one effect: readers see a new version, and a second look finds nothing.
func TestF1_WhatRepairMendsIsNumbered(t *testing.T) {
	t.Parallel()
	f := newFed(t)
	put(t, f.table, numbered(0, 5)...)
	before := f.rdb.HMGet(t.Context(), f.name+":m", "seq", "rver").Val()
	f.damage()
	mended, err := f.table.Repair(t.Context())
	ok(t, err)
	after := f.rdb.HMGet(t.Context(), f.name+":m", "seq", "rver").Val()
	if !slices.Equal(before, []any{"1", "1"}) || !slices.Equal(after, []any{"3", "3"}) || len(mended.Problems) != 2 {
		t.Errorf("seq and rver went from %v to %v; mended %+v", before, after, mended.Problems)
	}
	wantProblems(t, f.table)
	wantIDs(t, f.table, f.table.All("at"), 0, 1, 2, 3, 4)
	put(t, f.table, numbered(5, 6)...)
}

// The outcome of a step of Repair is unknown: it was applied and the answer is lost, or it never arrived. It is settled, and the
// thing is mended once.
func TestG9_WhatRepairMendsIsSettled(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		lose func(f *fed, ctx context.Context, next redis.ProcessHook, cmd redis.Cmder) error
		want []layout.Kind
	}{
		"answer lost": {func(_ *fed, ctx context.Context, next redis.ProcessHook, cmd redis.Cmder) error {
			ok(t, next(ctx, cmd))
			cmd.SetErr(io.EOF)
			return io.EOF
		}, []layout.Kind{layout.KindRepair, layout.KindRepair}},
		"never arrived": {func(f *fed, _ context.Context, _ redis.ProcessHook, cmd redis.Cmder) error {
			f.cut.armed.Store(true)
			f.cut.cuts(cmd)
			return io.EOF
		}, []layout.Kind{layout.KindBurn, layout.KindRepair, layout.KindRepair}},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			f := newFed(t)
			put(t, f.table, numbered(0, 5)...)
			f.read()
			f.damage()
			f.owned.AddHook(&loser{lose: func(ctx context.Context, next redis.ProcessHook, cmd redis.Cmder) error {
				return c.lose(f, ctx, next, cmd)
			}})
			f.tells("repair", func(ctx context.Context) error {
				mended, err := f.table.Repair(ctx)
				if len(mended.Problems) != 2 {
					t.Errorf("mended %+v", mended.Problems)
				}
				return err
			}, c.want...)
			wantProblems(t, f.table)
		})
	}
}

// loser loses the first call that mends.
type loser struct {
	counter
	lost atomic.Bool
	lose func(ctx context.Context, next redis.ProcessHook, cmd redis.Cmder) error
}

func (l *loser) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if mends(cmd) && l.lost.CompareAndSwap(false, true) {
			return l.lose(ctx, next, cmd)
		}
		return next(ctx, cmd)
	}
}

// Another owner comes between what Repair has read and what it mends: it says ErrFenced and changes nothing.
func TestG8_ARepairOfAReplacedOwnerChangesNothing(t *testing.T) {
	t.Parallel()
	rdb, owned, name := redistest.Shared(t).Client(t), redistest.Shared(t).Client(t), redistest.Prefix(t)
	old, err := table.Open(t.Context(), owned, itemDefinition(name))
	ok(t, err)
	t.Cleanup(func() { old.Close() })
	put(t, old, numbered(0, 5)...)
	ok(t, rdb.ZAddArgs(t.Context(), name+":i:at", redis.ZAddArgs{XX: true, Members: []redis.Z{score(3, -7)}}).Err())
	var before map[string]any
	owned.AddHook(&meddler{before: func() {
		if before == nil {
			takeOver(t, rdb, itemDefinition(name))
			before = dump(t, rdb, name)
		}
	}})
	if _, err := old.Repair(t.Context()); !errors.Is(err, table.ErrFenced) {
		t.Errorf("got %v, want ErrFenced", err)
	}
	wantUntouched(t, rdb, name, before)
	wantEnded(t, old, table.ErrFenced)
}
