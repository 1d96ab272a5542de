package stress

import (
	"context"
	"errors"
	"iter"
	"math"
	"slices"

	"pgregory.net/rapid"

	"github.com/tablecache-go/tablecache/internal/model"
	"github.com/tablecache-go/tablecache/table"
)

// Few keys and few scores, so that histories meet themselves; the scores are those that are easily lost.
var (
	fewKeys = []string{"", "a", "b", "c", "d", "e", "f", "g", "h", "\x00", "ä", "a\x00", "a b"}
	scores  = []float64{math.Inf(-1), -1e300, -1, 0, 5e-324, 0.1, 1, 1 + 0x1p-52, 1 << 53, 1<<53 + 2, 1e300, math.Inf(1)}
)

// A generator writes down its name when it is first asked for it, so the machines share none.
func someKeys() *rapid.Generator[string]    { return rapid.SampledFrom(fewKeys) }
func someScores() *rapid.Generator[float64] { return rapid.SampledFrom(scores) }

func (m *machine) drawItems(t *rapid.T) []Item {
	items := make([]Item, rapid.IntRange(1, 9).Draw(t, "items"))
	for k := range items {
		m.version++
		items[k] = Item{Key: someKeys().Draw(t, "key"), Version: m.version, A: someScores().Draw(t, "a"), B: someScores().Draw(t, "b")}
	}
	return items
}

func drawKeys(t *rapid.T) []string { return rapid.SliceOfN(someKeys(), 1, 4).Draw(t, "keys") }

// drawSpec draws intervals that do not overlap, in any order, with an empty one among them now and then.
func drawSpec(t *rapid.T) Spec {
	s := Spec{Index: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "index"), Reverse: rapid.Bool().Draw(t, "reverse"),
		Limit: rapid.SampledFrom([]int{0, 0, 0, 1, 2, 5}).Draw(t, "limit")}
	switch rapid.IntRange(0, 5).Draw(t, "recheck") {
	case 0:
		s = s.Where(func(i *Item) bool { return i.Version%2 == 0 })
	case 1:
		s = s.Where(func(i *Item) bool { return i.Key < "c" })
	}
	if rapid.Bool().Draw(t, "everything") {
		s.Intervals = []table.Interval{table.Everything()}
		return s
	}
	cuts := rapid.SliceOfNDistinct(rapid.IntRange(0, len(scores)-1), 2, 6, rapid.ID).Draw(t, "cuts")
	slices.Sort(cuts)
	for k := 1; k < len(cuts); k += 2 {
		s.Intervals = append(s.Intervals, table.Interval{GE: scores[cuts[k-1]], LT: scores[cuts[k]]})
	}
	if rapid.IntRange(0, 4).Draw(t, "empty") == 0 {
		s.Intervals = append(s.Intervals, table.Interval{GE: 1, LT: 1})
	}
	s.Intervals = rapid.Permutation(s.Intervals).Draw(t, "order")
	return s
}

// holdsWrites tells whether regular writes must wait now, other than sweeps.
func (m *machine) holdsWrites() bool {
	return m.state() == table.StateMerging || m.state() == table.StateActive && !m.through
}

func (m *machine) Put(t *rapid.T) {
	items := m.drawItems(t)
	if m.holdsWrites() {
		m.waits(t, "put", func(ctx context.Context) error { return m.tbl.Put(ctx, items...) })
		return
	}
	ok(t, m.tbl.Put(m.ctx, items...))
	m.model.Put(items...)
}

func (m *machine) Delete(t *rapid.T) {
	s := drawSpec(t)
	if m.state() != table.StateClear {
		m.waits(t, "delete", func(ctx context.Context) error { _, err := m.tbl.Delete(ctx, s); return err })
		return
	}
	n, err := m.tbl.Delete(m.ctx, s)
	ok(t, err)
	if want := len(m.model.Delete(specOf(s))); n != want {
		t.Fatalf("deleted %d, want %d", n, want)
	}
}

func (m *machine) DeleteKeys(t *rapid.T) {
	keys := drawKeys(t)
	if m.holdsWrites() {
		m.waits(t, "delete keys", func(ctx context.Context) error { _, err := m.tbl.DeleteKeys(ctx, keys...); return err })
		return
	}
	n, err := m.tbl.DeleteKeys(m.ctx, keys...)
	ok(t, err)
	if want := m.model.DeleteKeys(keys...); n != want {
		t.Fatalf("deleted %d keys, want %d", n, want)
	}
}

// Apply puts, deletes other keys, and notes something or not.
func (m *machine) Apply(t *rapid.T) {
	b := table.Batch[Item, string]{Put: m.drawItems(t)}
	for _, key := range drawKeys(t) {
		if !slices.Contains(keysOf(b.Put), key) {
			b.Delete = append(b.Delete, key)
		}
	}
	if rapid.Bool().Draw(t, "note") {
		b.Note = []byte(rapid.SampledFrom([]string{"", "a", "\x00b"}).Draw(t, "text"))
	}
	if m.holdsWrites() {
		m.waits(t, "apply", func(ctx context.Context) error { return m.tbl.Apply(ctx, b) })
		return
	}
	ok(t, m.tbl.Apply(m.ctx, b))
	m.model.Apply(b.Put, b.Delete, b.Note)
}

// Update changes one record, which somebody else writes meanwhile, or not.
func (m *machine) Update(t *rapid.T) {
	m.version += 2
	key, other := someKeys().Draw(t, "key"), Item{Version: m.version - 1, A: someScores().Draw(t, "a")}
	between := rapid.SampledFrom([]string{"", "put", "delete"}).Draw(t, "between")
	other.Key = key
	change := func(i Item) Item { i.Version, i.B = i.Version*1000+m.version, i.A; return i }
	update := func(ctx context.Context) error {
		return m.tbl.Update(ctx, key, func(i *Item) (err error) {
			*i = change(*i)
			switch between {
			case "put":
				err = m.tbl.Put(ctx, other)
				m.model.Put(other)
			case "delete":
				_, err = m.tbl.DeleteKeys(ctx, key)
				m.model.DeleteKeys(key)
			}
			between = ""
			return err
		})
	}
	if m.holdsWrites() {
		if between = ""; len(m.model.Lookup(key)) > 0 {
			m.waits(t, "update", update)
		}
		return
	}
	err := update(m.ctx)
	if m.model.Update(key, change) {
		ok(t, err)
	} else if !errors.Is(err, table.ErrNotFound) {
		t.Fatalf("an update of what is not there: %v", err)
	}
}

// DeleteSome stops early: what is gone is the beginning of what was asked for, and all that was yielded.
func (m *machine) DeleteSome(t *rapid.T) {
	if s := drawSpec(t); m.state() == table.StateClear {
		yielded := m.take(t, m.tbl.DeleteSeq(m.ctx, s), rapid.IntRange(1, 3).Draw(t, "stop"))
		want := m.model.Read(specOf(s))
		m.same(t, yielded, want[:min(len(want), len(yielded))])
		gone := len(yielded)
		for _, i := range want[gone:] {
			if _, err := m.tbl.Get(m.ctx, i.Key); !errors.Is(err, table.ErrNotFound) {
				break
			}
			gone++
		}
		m.model.DeleteKeys(keysOf(want[:gone])...)
	}
}

func (m *machine) Stage(t *rapid.T) {
	items := m.drawItems(t)
	if m.state() == table.StateMerging {
		m.waits(t, "scratch put", func(ctx context.Context) error { return m.tbl.ScratchPut(ctx, items...) })
		return
	}
	ok(t, m.tbl.ScratchPut(m.ctx, items...))
	m.model.Stage(items...)
}

func (m *machine) Discard(t *rapid.T) {
	s := drawSpec(t)
	if m.state() == table.StateMerging {
		if len(m.model.Read(specOf(s))) > 0 {
			m.waits(t, "discard", func(ctx context.Context) error { _, err := m.tbl.ScratchDiscard(ctx, s); return err })
		}
		return
	}
	found := m.take(t, m.tbl.ScratchDiscardSeq(m.ctx, s), math.MaxInt)
	m.same(t, found, m.model.Discard(specOf(s)))
}

// DiscardByPlace discards what need not be read.
func (m *machine) DiscardByPlace(t *rapid.T) {
	s := drawSpec(t)
	s.Recheck, s.Limit = nil, 0
	if m.state() == table.StateMerging || isOfAll(s) {
		return
	}
	n, err := m.tbl.ScratchDiscard(m.ctx, s)
	ok(t, err)
	if want := len(m.model.Discard(specOf(s))); n != want {
		t.Fatalf("discarded %d by place, want %d", n, want)
	}
}

// DiscardAll discards everything, in one step where nothing is staged beside it.
func (m *machine) DiscardAll(t *rapid.T) {
	s := m.tbl.All(rapid.SampledFrom([]string{"a", "b"}).Draw(t, "index"))
	if m.state() == table.StateMerging {
		m.waits(t, "discard all", func(ctx context.Context) error { _, err := m.tbl.ScratchDiscard(ctx, s); return err })
		return
	}
	n, err := m.tbl.ScratchDiscard(m.ctx, s)
	ok(t, err)
	if want := m.model.DiscardAll(); n != want {
		t.Fatalf("discarded %d of everything, want %d", n, want)
	}
}

func (m *machine) take(t *rapid.T, seq iter.Seq2[Item, error], most int) (found []Item) {
	for i, err := range seq {
		ok(t, err)
		if found = append(found, i); len(found) == most {
			break
		}
	}
	return found
}

// Merge merges and reads before the fold may have begun. Like all actions it draws first and acts then: rapid may give a
// draw up, and with it the rest of the action.
func (m *machine) Merge(t *rapid.T) {
	s := drawSpec(t)
	ok(t, m.tbl.ScratchMerge(m.ctx))
	m.model.Merge()
	if m.gate != nil {
		return
	}
	m.same(t, m.collect(t, s), m.model.Read(specOf(s)))
	m.waitClear(t)
}

// waitClear waits for the fold.
func (m *machine) waitClear(t *rapid.T) {
	ok(t, m.tbl.WaitClear(m.ctx))
	m.model.Fold()
}

// HoldFold makes the next merge stay in the merging state until ReleaseFold.
func (m *machine) HoldFold(t *rapid.T) {
	if m.gate != nil {
		return
	}
	m.gate = &gate{entered: make(chan struct{}), release: make(chan struct{})}
	_, err := m.pool.Submit(m.gate)
	ok(t, err)
	<-m.gate.entered
	m.Stage(t)
	m.Merge(t)
}

func (m *machine) ReleaseFold(t *rapid.T) {
	if m.gate == nil {
		return
	}
	close(m.gate.release)
	m.gate = nil
	if m.model.State == model.StateMerging {
		m.waitClear(t)
	}
}

func (m *machine) Abort(t *rapid.T) {
	ok(t, m.tbl.ScratchAbort(m.ctx))
	m.model.Abort()
}

func (m *machine) Clear(t *rapid.T) {
	if rapid.IntRange(0, 3).Draw(t, "really") > 0 {
		return
	}
	ok(t, m.tbl.Clear(m.ctx))
	m.model.Clear()
}

// PutBehind sends a put that waits for the lock, then frees the lock.
func (m *machine) PutBehind(t *rapid.T) {
	if m.model.State != model.StateActive || m.gate != nil || m.through {
		return
	}
	items, done := m.drawItems(t), make(chan error, 1)
	go func() { done <- m.tbl.Put(m.ctx, items...) }()
	if rapid.Bool().Draw(t, "merge") {
		ok(t, m.tbl.ScratchMerge(m.ctx))
		m.model.Merge()
	} else {
		m.Abort(t)
	}
	ok(t, <-done)
	m.model.Fold() // or the put would still wait
	m.model.Put(items...)
}

// Reopen closes the table, or just opens it anew, which fences the owner before.
func (m *machine) Reopen(t *rapid.T) {
	before, opts := m.tbl, []table.Option(nil)
	m.ReleaseFold(t)
	reset := rapid.IntRange(0, 9).Draw(t, "reset") == 0
	if reset {
		opts = append(opts, table.WithReset())
	}
	if rapid.Bool().Draw(t, "close") {
		ok(t, before.Close())
	}
	m.tbl = m.open(t, opts...)
	if err := before.ScratchPut(m.ctx, Item{Key: "late"}); !errors.Is(err, table.ErrFenced) && !errors.Is(err, table.ErrClosed) {
		t.Fatalf("an owner of the past stages: %v", err)
	}
	m.drop(t)
	before.Close()
	m.model.Reopen()
	if reset {
		m.model = newModel()
		m.model.Through = m.through
	}
}
