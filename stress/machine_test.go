package stress

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"github.com/tablecache-go/tablecache/cleanup"
	"github.com/tablecache-go/tablecache/internal/model"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/internal/walk"
	"github.com/tablecache-go/tablecache/table"
)

type items = table.Table[Item, string]

// TestG3_EveryVerbDoesWhatTheModelDoes runs random histories of every verb on a real Redis and on the reference model, and
// after each step walks the raw keys and compares the whole table. It ends early with the history that fails, made small and
// saved.
func TestG3_EveryVerbDoesWhatTheModelDoes(t *testing.T) {
	setRapid(t)
	var steps atomic.Int64
	p := session.begin(t, "model steps, keys walked after each", 250_000, modelShare)
	t.Run("machines", func(t *testing.T) {
		for k := range machines {
			t.Run(fmt.Sprint(k), func(t *testing.T) {
				t.Parallel()
				rdb := redistest.Start(t, redistest.Options{}).Client(t)
				if k == 0 {
					rdb.AddHook(redistest.ShortSteps(3))
				}
				rapid.Check(t, func(rt *rapid.T) { history(rt, rdb, k, p, &steps) })
			})
		}
	})
}

// machines is how many state machines run side by side.
const machines = 2

// history is one history, unless the part is over.
func history(t *rapid.T, rdb *redis.Client, k int, p *part, steps *atomic.Int64) {
	rapid.SliceOfN(rapid.Byte(), k, k).Draw(t, "what makes this machine's histories differ from the others'")
	if p.isOver() {
		return
	}
	m := newMachine(t, rdb)
	t.Repeat(rapid.StateMachineActions(m))
	p.reach(float64(steps.Add(int64(m.steps))))
	readsMade.Add(int64(m.steps))
}

// setRapid asks for more histories than there is time for.
func setRapid(t *testing.T) {
	t.Helper()
	for name, value := range map[string]string{"checks": "10000", "steps": "120", "seed": fmt.Sprint(session.seed)} {
		if err := flag.Set("rapid."+name, value); err != nil {
			t.Fatal(err)
		}
	}
}

// newModel returns the reference model of a table of items.
func newModel() *model.Table[Item] {
	return model.New(model.Schema[Item]{
		Key:   func(i *Item) string { return i.Key },
		Score: func(i *Item, index string) float64 { return i.Score(index) },
		Equal: func(a, b *Item) bool { return *a == *b },
	})
}

// specOf is a spec in the words of the model.
func specOf(s Spec) model.Spec[Item] {
	spec := model.Spec[Item]{Index: s.Index, Recheck: s.Recheck, Reverse: s.Reverse, Limit: s.Limit}
	for _, in := range s.Intervals {
		spec.Intervals = append(spec.Intervals, model.Interval(in))
	}
	return spec
}

// machine is a table and its model. Its exported methods are the actions, in machine_actions_test.go.
type machine struct {
	ctx     context.Context
	rdb     *redis.Client
	tbl     *items
	name    string
	model   *model.Table[Item]
	pool    *cleanup.Pool // of one worker, so that gate holds folds back
	gate    *gate         // not nil: folds wait
	hasty   bool          // long reads expire rather than hurry
	through bool          // regular writes do not wait for a scratch session
	version int64
	held    []*heldRead
	steps   int
}

func newMachine(t *rapid.T, rdb *redis.Client) *machine {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // a history takes less than a second
	t.Cleanup(cancel)
	ok(t, rdb.FlushDB(ctx).Err())
	m := &machine{ctx: ctx, rdb: rdb, name: "model", model: newModel(), pool: cleanup.NewPool(1)}
	m.tbl = m.open(t)
	t.Cleanup(func() {
		m.ReleaseFold(t)
		m.drop(t)
		m.tbl.Close()
		ok(t, m.pool.Close(ctx))
	})
	return m
}

// open opens the table, as its next owner, with pages of a drawn size.
func (m *machine) open(t *rapid.T, opts ...table.Option) *items {
	m.hasty = rapid.IntRange(0, 3).Draw(t, "hasty") == 0
	if m.through = rapid.Bool().Draw(t, "through"); m.through {
		opts = append(opts, table.WithWriteThrough())
	}
	m.model.Through = m.through
	opts = append(opts, table.WithCleanup(m.pool), table.WithPageBytes(rapid.SampledFrom([]int{1, 1, 90, 1 << 18}).Draw(t, "page")))
	if m.hasty {
		opts = append(opts, table.WithSnapshotMemory(1), table.WithSnapshotGrace(time.Millisecond))
	}
	tbl, err := table.Open(m.ctx, m.rdb, itemTable(m.name), opts...)
	ok(t, err)
	return tbl
}

// Check is run after every action.
func (m *machine) Check(t *rapid.T) {
	if m.ctx.Err() != nil {
		t.Fatal("a history takes too long")
	}
	m.steps++
	if err := walk.Check(m.ctx, m.rdb, m.name, []string{"a", "b"}); err != nil {
		t.Fatalf("the keys are not as they must be: %v", err)
	}
	m.checkStats(t)
	all := m.tbl.All("a")
	if m.steps%2 == 0 {
		all = m.tbl.All("b").Reversed()
	}
	m.same(t, m.collect(t, all), m.model.Read(specOf(all)))
	note, err := m.tbl.Note(m.ctx)
	ok(t, err)
	if (note == nil) != (m.model.Note == nil) || !bytes.Equal(note, m.model.Note) {
		t.Fatalf("the note is %q, want %q", note, m.model.Note)
	}
}

func (m *machine) checkStats(t *rapid.T) {
	s, err := m.tbl.Stats(m.ctx)
	ok(t, err)
	if s.Generation != m.model.Generation || s.State != m.state() {
		t.Fatalf("generation %d in state %v, want %d in %v", s.Generation, s.State, m.model.Generation, m.state())
	}
	if s.State == table.StateActive && s.Staged != m.model.Staged() {
		t.Fatalf("%d are staged, want %d", s.Staged, m.model.Staged())
	}
	if s.State != table.StateMerging && s.Records != m.model.Records() {
		t.Fatalf("%d records, want %d", s.Records, m.model.Records())
	}
}

// state is the state that the table must be in.
func (m *machine) state() table.State {
	return map[model.State]table.State{model.StateClear: table.StateClear, model.StateActive: table.StateActive,
		model.StateMerging: table.StateMerging}[m.model.State]
}

// same fails the test where an answer is not the model's.
func (m *machine) same(t *rapid.T, got, want []Item) {
	t.Helper()
	if err := difference(got, want); err != nil {
		t.Fatalf("%v", err)
	}
}

// difference says where two answers part, or nothing.
func difference(got, want []Item) error {
	for k := range max(len(got), len(want)) {
		if k >= len(got) || k >= len(want) || got[k] != want[k] {
			return fmt.Errorf("answers part at record %d\n got %v\nwant %v", k, got, want)
		}
	}
	return nil
}

func keysOf(items []Item) (keys []string) {
	for _, i := range items {
		keys = append(keys, i.Key)
	}
	return keys
}

func (m *machine) collect(t *rapid.T, s Spec) (found []Item) {
	t.Helper()
	for i, err := range m.tbl.Records(m.ctx, s) {
		ok(t, err)
		found = append(found, i)
	}
	return found
}

// fatal is what testing.TB and rapid.T have in common here.
type fatal interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func ok(t fatal, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// waits makes a call that must wait: its context ends first, and it has done nothing (D9).
func (m *machine) waits(t *rapid.T, what string, call func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(m.ctx, time.Millisecond)
	defer cancel()
	if err := call(ctx); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, table.ErrUnknownOutcome) {
		t.Fatalf("%s in state %v: %v, want it to wait and do nothing", what, m.state(), err)
	}
}

// gate is a job that keeps the pool's only worker, so that folds wait behind it.
type gate struct {
	entered, release chan struct{}
}

func (g *gate) Name() string { return "gate" }

func (g *gate) Step(ctx context.Context) (bool, error) {
	close(g.entered)
	<-g.release
	return true, nil
}

// heldRead is a long read that the machine goes on with while other things happen.
type heldRead struct {
	next  func() (Item, error, bool)
	stop  func()
	want  []Item // what it has yet to yield
	hasty bool
}
