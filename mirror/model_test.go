package mirror_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"github.com/tablecache-go/tablecache/internal/model"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/mirror"
	"github.com/tablecache-go/tablecache/table"
)

// world is a table, its model, and mirrors of it.
type world struct {
	*testing.T
	draw  *rapid.T
	rdb   *redis.Client
	table *items
	model *model.Table[item]
	opts  []table.Option

	mu   sync.Mutex // guards what follows
	past map[table.Position]*model.Table[item]
}

func newWorld(t *testing.T, rt *rapid.T) *world {
	w := &world{T: t, draw: rt, rdb: redistest.Shared(t).Client(t), model: model.New(schema), past: make(map[table.Position]*model.Table[item])}
	w.opts = []table.Option{table.WithFeed(rapid.SampledFrom([]int64{1500, 20_000, 16 << 20}).Draw(rt, "feed"))}
	if w.model.Through = rapid.Bool().Draw(rt, "through"); w.model.Through {
		w.opts = append(w.opts, table.WithWriteThrough())
	}
	w.rdb.AddHook(redistest.ShortSteps(5))
	w.table = openOn(t, w.rdb, redistest.Prefix(t), w.opts...)
	w.note()
	return w
}

// note notes what the table is at its position. Between two calls nobody but the test changes it.
func (w *world) note() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.past[w.table.Position()] = w.model.Clone()
}

func (w *world) at(p table.Position) *model.Table[item] {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.past[p]
}

func (w *world) items(most int) []item {
	return rapid.SliceOfN(rapid.Custom(drawItem), 1, most).Draw(w.draw, "items")
}

func (w *world) keys() []int64 {
	return rapid.SliceOfN(rapid.Int64Range(-6, 61), 1, 10).Draw(w.draw, "keys")
}

func (w *world) step(ctx context.Context) {
	w.Helper()
	steps := map[string]func(context.Context) error{
		"stage": w.stage, "stage much": w.stageMuch, "discard": w.discard, "merge": w.merge, "abort": w.abort, "clear": w.clear,
		"reset": w.reset, "take over": w.takeOver, "repair": w.repair,
		"discard all": w.discardAll,
	}
	if w.model.State == model.StateClear {
		steps["delete all"] = w.deleteAll
	}
	if w.model.State == model.StateClear || w.model.Through {
		maps.Copy(steps, map[string]func(context.Context) error{"put": w.put, "put more": w.put, "delete": w.remove, "apply": w.apply})
	}
	name := rapid.SampledFrom(slices.Sorted(maps.Keys(steps))).Draw(w.draw, "step")
	ok(w, steps[name](ctx))
	w.note()
}

func (w *world) put(ctx context.Context) error {
	all := w.items(10)
	w.model.Put(all...)
	return w.table.Put(ctx, all...)
}

func (w *world) remove(ctx context.Context) error {
	keys := w.keys()
	w.model.DeleteKeys(texts(keys)...)
	_, err := w.table.DeleteKeys(ctx, keys...)
	return err
}

func (w *world) apply(ctx context.Context) error {
	b := table.Batch[item, int64]{Put: w.items(5), Note: []byte(rapid.StringN(1, 5, 9).Draw(w.draw, "note"))}
	for _, key := range w.keys() {
		if !slices.ContainsFunc(b.Put, func(i item) bool { return i.ID == key }) {
			b.Delete = append(b.Delete, key)
		}
	}
	w.model.Apply(b.Put, texts(b.Delete), b.Note)
	return w.table.Apply(ctx, b)
}

func (w *world) stage(ctx context.Context) error {
	all := w.items(20)
	w.model.Stage(all...)
	return w.table.ScratchPut(ctx, all...)
}

// stageMuch stages more than most feeds hold.
func (w *world) stageMuch(ctx context.Context) error {
	all := numbered(0, 40)
	for i := range all {
		all[i].Name = strings.Repeat(all[i].Name, 30)
	}
	w.model.Stage(all...)
	return w.table.ScratchPut(ctx, all...)
}

func (w *world) discard(ctx context.Context) error {
	s := spec{Index: "at", Intervals: drawIntervals(w.draw)}
	w.model.Discard(modelSpec(s))
	_, err := w.table.ScratchDiscard(ctx, s)
	return err
}

func (w *world) discardAll(ctx context.Context) error {
	w.model.DiscardAll()
	_, err := w.table.ScratchDiscard(ctx, w.table.All("rank"))
	return err
}

func (w *world) deleteAll(ctx context.Context) error {
	w.model.Delete(modelSpec(w.table.All("at")))
	_, err := w.table.Delete(ctx, w.table.All("at"))
	return err
}

func (w *world) merge(ctx context.Context) error {
	w.model.Merge()
	w.model.Fold()
	if err := w.table.ScratchMerge(ctx); err != nil {
		return err
	}
	w.note()
	return w.table.WaitClear(ctx)
}

func (w *world) abort(ctx context.Context) error {
	w.model.Abort()
	return w.table.ScratchAbort(ctx)
}

func (w *world) clear(ctx context.Context) error {
	w.model.Clear()
	return w.table.Clear(ctx)
}

func (w *world) reset(ctx context.Context) error {
	through := w.model.Through
	w.model = model.New(schema)
	w.model.Through = through
	return w.reopen(table.WithReset())
}

func (w *world) takeOver(context.Context) error {
	w.model.Reopen()
	return w.reopen()
}

func (w *world) reopen(opts ...table.Option) error {
	old := w.table
	w.table = openOn(w, w.rdb, old.Name(), append(opts, w.opts...)...)
	return old.Close()
}

// repair mends an entry that somebody has removed.
func (w *world) repair(ctx context.Context) error {
	if w.model.State != model.StateClear || w.model.Records() == 0 {
		return nil
	}
	if err := w.rdb.ZPopMin(ctx, w.table.Name()+":i:at").Err(); err != nil {
		return err
	}
	_, err := w.table.Repair(ctx)
	return err
}

func texts(keys []int64) (all []string) {
	for _, key := range keys {
		all = append(all, schema.Key(&item{ID: key}))
	}
	return all
}

func modelSpec(s spec) model.Spec[item] {
	m := model.Spec[item]{Index: s.Index, Recheck: s.Recheck, Reverse: s.Reverse, Limit: s.Limit}
	for _, i := range s.Intervals {
		m.Intervals = append(m.Intervals, model.Interval(i))
	}
	return m
}

// checks that a moment of a mirror is what the table was at its position, if that is known.
func (w *world) checks(s *mirror.Snapshot[item, int64]) bool {
	w.Helper()
	want := w.at(s.Position())
	if want == nil {
		return false
	}
	for _, of := range []spec{s.All("at"), s.All("rank").Reversed(), s.Range("at", -1, 1)} {
		wantItems(w, s.Position().String(), all(w, s.Records(w.Context(), of)), want.Read(modelSpec(of)))
		if n, err := s.Count(w.Context(), of); err != nil || n != want.Count(modelSpec(of)) {
			w.Errorf("count %d, %v", n, err)
		}
	}
	note, err := s.Note(w.Context())
	if err != nil || string(note) != string(want.Note) || (note == nil) != (want.Note == nil) {
		w.Errorf("note %q, %v, want %q", note, err, want.Note)
	}
	return true
}

// ends has the table end, too, where nothing else ends it before the next one begins.
func (w *world) ends() { ok(w, w.table.Close()) }

// TestM2_AMirrorIsTheTableAtItsPosition does random things to tables, with mirrors that were opened at some time, and compares each moment
// that these show.
func TestM2_AMirrorIsTheTableAtItsPosition(t *testing.T) {
	t.Parallel()
	compared, copies := 0, int64(0)
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, rt)
		defer w.ends()
		var open []*mirrors
		for n := range rapid.IntRange(2, 25).Draw(rt, "steps") {
			w.step(t.Context())
			if n%10 == 1 {
				open = append(open, mirrorOf(t, w.table))
			}
			for _, m := range open {
				if w.checks(m.Snapshot()) { // whatever it has come to
					compared++
				}
			}
			if rapid.Bool().Draw(rt, "catch up") {
				for _, m := range open {
					catchUp(t, m, w.table)
					if !w.checks(m.Snapshot()) {
						t.Errorf("at %v, the table at %v", m.Position(), w.table.Position())
					}
				}
			}
			if t.Failed() {
				rt.FailNow()
			}
		}
		for _, m := range open {
			copies += m.Stats().Resyncs
			ok(t, m.Close())
		}
	})
	if compared == 0 || copies == 0 {
		t.Errorf("%d moments compared, %d copies", compared, copies)
	}
}

// TestM4_ChangesAddUpToTheTable has loops over changes, quick and slow ones, keep what they are told, while random things happen.
func TestM4_ChangesAddUpToTheTable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, rt)
		defer w.ends()
		w.step(t.Context())
		m := mirrorOf(t, w.table)
		var told []*ledger
		for range 3 {
			s := drawSpec(rt)
			if s.Index == "none" || s.Limit < 0 {
				s.Index, s.Limit, s.Intervals = "rank", 3, []table.Interval{table.Only(1), table.Only(0)}
			}
			told = append(told, keep(t, m, s, rapid.IntRange(0, 3).Draw(rt, "patience")))
		}
		for range rapid.IntRange(2, 20).Draw(rt, "steps") {
			w.step(t.Context())
			if rapid.IntRange(0, 3).Draw(rt, "catch up") > 0 {
				continue
			}
			catchUp(t, m, w.table)
			for _, l := range told {
				until(t, "changes to add up", func() bool { return l.equals(m) })
			}
			if t.Failed() {
				rt.FailNow()
			}
		}
		ok(t, m.Close())
		for _, l := range told {
			<-l.ended
		}
	})
}
