package table_test

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tablecache-go/tablecache/table"
)

// contents is what a table shows: under each number the item of that key, or nil. It is not changed any more.
type contents []*item

func idOf(n int) int64 { return int64(n) - 50 } // some are negative: their bytes come after the others'

// answer is what a read of s must be.
func (c contents) answer(s table.Spec[item]) (found []*item) {
	score := func(i *item) float64 { return i.At }
	if s.Index == "rank" {
		score = func(i *item) float64 { return i.Rank }
	}
	for _, interval := range s.Intervals {
		var part []*item
		for _, i := range c {
			if i != nil && interval.Contains(score(i)) && (s.Recheck == nil || s.Recheck(i)) {
				part = append(part, i)
			}
		}
		slices.SortFunc(part, func(a, b *item) int {
			return cmp.Or(cmp.Compare(score(a), score(b)), cmp.Compare(uint64(a.ID), uint64(b.ID)))
		})
		found = append(found, part...)
	}
	if s.Reverse {
		slices.Reverse(found)
	}
	if s.Limit > 0 {
		found = found[:min(s.Limit, len(found))]
	}
	return found
}

func (c contents) with(changes map[int]*item) contents {
	next := slices.Clone(c)
	for n, i := range changes {
		next[n] = i
	}
	return next
}

// ledger makes writes, one at a time, and keeps what the table shows after each. So a read must be what it shows after
// some write between the last that was acknowledged when the read began and the last that was asked for when the read's
// moment had certainly come.
type ledger struct {
	t            testing.TB
	tbl          *items
	brake        *brake
	rng          *rand.Rand
	keys         int
	version      int
	staged       contents     // what a merge would show; nil: there is no scratch session
	asked, acked atomic.Int64 // writes
	reads        atomic.Int64
	mu           sync.Mutex // guards shown
	shown        []contents // after write i
}

func newLedger(t testing.TB, seed uint64, keys int, opts ...table.Option) *ledger {
	tbl, brake := openBraked(t, opts...)
	return &ledger{t: t, tbl: tbl, brake: brake, rng: rand.New(rand.NewPCG(seed, 0)), keys: keys, shown: []contents{make(contents, keys)}}
}

func (l *ledger) now() contents { return l.after(l.acked.Load()) }

func (l *ledger) after(write int64) contents {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.shown[write]
}

// do makes a write after which the table shows next.
func (l *ledger) do(what string, next contents, write func() error) {
	l.mu.Lock()
	l.shown = append(l.shown, next)
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
	switch {
	case dice < 2:
		l.staged = nil
		l.do("clear", make(contents, l.keys), func() error { return l.tbl.Clear(ctx) })
	case dice < 20 || (l.staged == nil && dice < 26):
		l.stage()
	case dice < 28:
		l.discard()
	case l.staged != nil && dice < 34:
		l.staged = nil
		l.do("abort", l.now(), func() error { return l.tbl.ScratchAbort(ctx) })
	case l.staged != nil:
		l.merge()
	case dice < 40:
		l.delete()
	default:
		some := l.some()
		l.do("put", l.now().with(some), func() error { return l.tbl.Put(ctx, values(some)...) })
	}
}

func (l *ledger) stage() {
	some := l.some()
	l.scratch()
	l.staged = l.staged.with(some)
	l.do("scratch put", l.now(), func() error { return l.tbl.ScratchPut(l.t.Context(), values(some)...) })
}

func (l *ledger) scratch() {
	if l.staged == nil {
		l.staged = l.now()
	}
}

func (l *ledger) discard() {
	s := l.tbl.Range("at", float64(l.rng.IntN(5)), float64(5+l.rng.IntN(l.keys)))
	before := l.staged
	l.scratch()
	gone := make(map[int]*item)
	for _, i := range l.staged.answer(s) {
		gone[l.number(i)] = nil
	}
	l.staged = l.staged.with(gone)
	if len(gone) == 0 {
		l.staged = before // that begins no session
	}
	l.do("scratch discard", l.now(), func() error {
		n, err := l.tbl.ScratchDiscard(l.t.Context(), s)
		if err == nil && n != len(gone) {
			err = fmt.Errorf("%d discarded, want %d", n, len(gone))
		}
		return err
	})
}

// merge lets readers in before, between and after the steps of the fold.
func (l *ledger) merge() {
	next := l.staged
	l.staged = nil
	l.do("merge", next, func() error { return l.tbl.ScratchMerge(l.t.Context()) })
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
	gone, keys := make(map[int]*item), []int64{}
	for range 1 + l.rng.IntN(10) {
		n := l.rng.IntN(l.keys)
		gone[n] = nil
		keys = append(keys, idOf(n))
	}
	l.do("delete keys", l.now().with(gone), func() error {
		_, err := l.tbl.DeleteKeys(l.t.Context(), keys...)
		return err
	})
}

// some returns new versions of some items: of few mostly, at times of many.
func (l *ledger) some() map[int]*item {
	some := make(map[int]*item)
	n := 1 + l.rng.IntN(20)
	if l.rng.IntN(4) == 0 {
		n = l.keys / 2
	}
	for range min(n, 900) {
		l.version++
		k := l.rng.IntN(l.keys)
		some[k] = &item{ID: idOf(k), Name: fmt.Sprint("v", l.version), At: l.score(k), Rank: float64(l.rng.IntN(4))}
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

func (l *ledger) number(i *item) int { return int(i.ID - idOf(0)) }

func values(some map[int]*item) (items []item) {
	for _, i := range some {
		items = append(items, *i)
	}
	return items
}
