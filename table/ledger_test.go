package table_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tablecache-go/tablecache/internal/model"
	"github.com/tablecache-go/tablecache/table"
)

func idOf(n int) int64 { return int64(n) - 50 } // some are negative: their bytes come after the others'

// ledger makes writes, one at a time, and keeps what the table is like after each. So a read must be what it shows after
// some write between the last that was acknowledged when the read began and the last that was asked for when the read's
// moment had certainly come.
type ledger struct {
	t            testing.TB
	tbl          *items
	brake        *brake
	rng          *rand.Rand
	keys         int
	version      int
	asked, acked atomic.Int64 // writes
	reads        atomic.Int64
	mu           sync.Mutex           // guards history
	history      []*model.Table[item] // after write i; not changed any more
}

func newLedger(t testing.TB, seed uint64, keys int, opts ...table.Option) *ledger {
	tbl, brake := openBraked(t, opts...)
	return &ledger{t: t, tbl: tbl, brake: brake, rng: rand.New(rand.NewPCG(seed, 0)), keys: keys,
		history: []*model.Table[item]{newModel()}}
}

// after returns what the table must be like after a write.
func (l *ledger) after(write int64) *model.Table[item] {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.history[write]
}

// do makes a write, and the same change in the model.
func (l *ledger) do(what string, change func(*model.Table[item]), write func() error) {
	next := l.after(l.acked.Load()).Clone()
	change(next)
	l.mu.Lock()
	l.history = append(l.history, next)
	l.mu.Unlock()
	l.asked.Add(1)
	if err := write(); err != nil {
		l.t.Errorf("%s: %v", what, err)
	}
	l.acked.Add(1)
}

// write makes a write by chance.
func (l *ledger) write() {
	ctx, dice := l.t.Context(), l.rng.IntN(100)
	active := l.after(l.acked.Load()).State == model.StateActive
	switch {
	case dice < 2:
		l.do("clear", (*model.Table[item]).Clear, func() error { return l.tbl.Clear(ctx) })
	case dice < 20 || (!active && dice < 26):
		some := l.some()
		l.do("scratch put", func(m *model.Table[item]) { m.Stage(some...) }, func() error { return l.tbl.ScratchPut(ctx, some...) })
	case dice < 28:
		l.discard()
	case active && dice < 34:
		l.do("abort", (*model.Table[item]).Abort, func() error { return l.tbl.ScratchAbort(ctx) })
	case active:
		l.merge()
	case dice < 40:
		l.delete()
	case dice < 50:
		l.apply()
	default:
		some := l.some()
		l.do("put", func(m *model.Table[item]) { m.Put(some...) }, func() error { return l.tbl.Put(ctx, some...) })
	}
}

func (l *ledger) discard() {
	s, want := l.tbl.Range("at", float64(l.rng.IntN(5)), float64(5+l.rng.IntN(l.keys))), 0
	l.do("scratch discard", func(m *model.Table[item]) { want = len(m.Discard(specOf(s))) }, func() error {
		n, err := l.tbl.ScratchDiscard(l.t.Context(), s)
		if err == nil && n != want {
			err = fmt.Errorf("%d discarded, want %d", n, want)
		}
		return err
	})
}

// merge lets readers in before, between and after the steps of the fold. The model folds at once: that changes no answer.
func (l *ledger) merge() {
	l.do("merge", func(m *model.Table[item]) { m.Merge(); m.Fold() }, func() error { return l.tbl.ScratchMerge(l.t.Context()) })
	for stats(l.t, l.tbl).State == table.StateMerging {
		l.letRead(2)
		l.brake.turn(l.t)
	}
}

// letRead waits for some reads to end, but not for ever: the readers may be waiting for writes.
func (l *ledger) letRead(n int64) {
	for i, from := 0, l.reads.Load(); i < 500 && l.reads.Load() < from+n && !l.t.Failed(); i++ {
		stats(l.t, l.tbl)
	}
}

func (l *ledger) delete() {
	var keys []int64
	for range 1 + l.rng.IntN(10) {
		keys = append(keys, idOf(l.rng.IntN(l.keys)))
	}
	want := 0
	l.do("delete keys", func(m *model.Table[item]) { want = m.DeleteKeys(rawKeys(keys...)...) }, func() error {
		n, err := l.tbl.DeleteKeys(l.t.Context(), keys...)
		if err == nil && n != want {
			err = fmt.Errorf("%d deleted, want %d", n, want)
		}
		return err
	})
}

// apply puts some items and deletes others at one moment.
func (l *ledger) apply() {
	var keys []int64
	some := l.some()
	for range l.rng.IntN(10) {
		id := idOf(l.rng.IntN(l.keys))
		if !slices.ContainsFunc(some, func(i item) bool { return i.ID == id }) {
			keys = append(keys, id)
		}
	}
	l.do("apply", func(m *model.Table[item]) { m.Apply(some, rawKeys(keys...), nil) }, func() error {
		return l.tbl.Apply(l.t.Context(), batch{Put: some, Delete: keys})
	})
}

// some returns new versions of some items: of few mostly, at times of many, and now and then two of one.
func (l *ledger) some() (some []item) {
	n := 1 + l.rng.IntN(20)
	if l.rng.IntN(4) == 0 {
		n = l.keys / 2
	}
	for range min(n, 900) {
		l.version++
		k := l.rng.IntN(l.keys)
		some = append(some, item{ID: idOf(k), Name: fmt.Sprint("v", l.version), At: l.score(k), Rank: float64(l.rng.IntN(4))})
	}
	return some
}

func (l *ledger) score(n int) float64 {
	switch l.rng.IntN(12) {
	case 0:
		return math.Copysign(0, -1)
	case 1:
		return math.Inf(1 - 2*l.rng.IntN(2))
	case 2, 3:
		return float64(l.rng.IntN(5))
	case 4:
		return float64(l.rng.IntN(l.keys)) // it moves
	default:
		return float64(n)
	}
}
