package cache_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tablecache-go/tablecache/cache"
	"github.com/tablecache-go/tablecache/table"
)

var (
	// windows are what is covered, one after another. Most overlap with the one before, so that some records stay and others go.
	windows = [][]interval{{from(0, 50)}, {from(40, 90)}, {from(0, 20), from(60, 90)}, {from(0, 90)}, {from(200, 250)}, {from(10, 45)}}
	// asked is what is read. Each lies in some windows, and outside of others or half outside.
	asked = [][]interval{{from(0, 50)}, {from(40, 90)}, {from(0, 20), from(60, 90)}, {from(40, 50)}, {from(200, 250)}, {from(15, 16)}, {from(0, 90)}}
)

// moving is a source in which every record has changed by every fetch: its value is the fetch's number. It knows which answers
// are whole.
type moving struct {
	mu      sync.Mutex
	window  []interval
	fetches int64
	values  map[int64]int64 // of the latest fetch of each record
	whole   map[string]struct{}
}

func newMoving() *moving {
	return &moving{values: make(map[int64]int64), whole: make(map[string]struct{})}
}

func (m *moving) moveTo(window []interval) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.window = window
}

func (m *moving) Fetch(_ context.Context, _ string, in []interval) iter.Seq2[item, error] {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fetches++
	for n := range idsIn(in) {
		m.values[n] = m.fetches
	}
	for _, s := range asked {
		if coversAll(m.window, s) {
			m.whole[name(m.stored(s))] = struct{}{}
		}
	}
	found := m.stored(in)
	return func(yield func(item, error) bool) {
		for _, i := range found {
			if !yield(i, nil) {
				return
			}
		}
	}
}

// stored returns what a table has in some intervals that is covered.
func (m *moving) stored(in []interval) (items []item) {
	for n := range idsIn(in) {
		items = append(items, item{n, float64(n), m.values[n]})
	}
	return items
}

func (m *moving) isWhole(answer []item) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, is := m.whole[name(answer)]
	return is
}

func name(answer []item) string { return fmt.Sprint(answer) }

func idsIn(in []interval) iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for _, i := range in {
			for n := int64(i.GE); n < int64(i.LT); n++ {
				if !yield(n) {
					return
				}
			}
		}
	}
}

func coversAll(window, in []interval) bool {
	return !slices.ContainsFunc(in, func(i interval) bool {
		return !slices.ContainsFunc(window, func(w interval) bool { return w.Covers(i) })
	})
}

// onlooker reads what is covered, again and again.
type onlooker struct {
	name               string
	present            func() covered
	pause              time.Duration // between reads: those from memory leave the machine to the others
	answered, excluded atomic.Int64
}

// read reads one of the specs by one of the verbs. The answer must be whole, or ErrNotCovered before any of it.
func (o *onlooker) read(ctx context.Context, src *moving, n int) error {
	in := asked[n%len(asked)]
	wanted := len(slices.Collect(idsIn(in)))
	var got int
	var err error
	switch n / len(asked) % 4 {
	case 0:
		got, err = o.present().Count(ctx, at(in...), cache.Fresh())
	case 1:
		var first item
		if first, err = o.present().First(ctx, at(in...), cache.Fresh()); err == nil && first.ID == int64(in[0].GE) {
			got = wanted
		}
	default:
		var answer []item
		answer, err = table.Collect(o.present().Records(ctx, at(in...), cache.Fresh()))
		if got = len(answer); got == wanted && !src.isWhole(answer) {
			return fmt.Errorf("%s: of no moment: %v", o.name, answer)
		}
	}
	switch {
	case errors.Is(err, cache.ErrNotCovered) && got == 0:
		o.excluded.Add(1)
		return nil
	case err != nil || got != wanted:
		return fmt.Errorf("%s: %d of %d records of %v, %v", o.name, got, wanted, in, err)
	}
	o.answered.Add(1)
	return nil
}

// U34: who reads while the window moves gets all of the window's records, of one moment, or ErrNotCovered; never some of them.
func TestC1_WhoReadsWhileTheWindowMovesGetsAllOrNothing(t *testing.T) {
	t.Parallel()
	src, tbl := newMoving(), openTable(t, table.WithPageBytes(500))
	c := newCache(t, tbl, src)
	var changed [3]atomic.Int64
	m := openMirror(t, tbl.Name())
	views := []*view{
		cache.NewView[item](counting{tbl, &changed[0]}),
		cache.NewView[item](counting{openReader(t, tbl.Name(), table.WithPageBytes(500)), &changed[1]}),
		cache.NewView[item](counting{m, &changed[2]}),
	}
	onlookers := []*onlooker{
		{name: "cache", present: func() covered { return c }},
		{name: "view of the table", present: func() covered { return views[0] }},
		{name: "view of a reader", present: func() covered { return views[1] }},
		{name: "view of a mirror", present: func() covered { return views[2] }, pause: 100 * time.Microsecond},
		{name: "view of a snapshot", present: func() covered { return cache.NewView[item](m.Snapshot()) }, pause: 100 * time.Microsecond},
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	var reading sync.WaitGroup
	for _, o := range onlookers {
		reading.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if err := o.read(ctx, src, n); err != nil {
					cancel(err)
				}
				if o.pause > 0 {
					<-time.After(o.pause)
				}
			}
		})
	}
	moves := 0
	until(t, "enough reads", func() bool {
		window := windows[moves/2%len(windows)]
		src.moveTo(window)
		if moves++; moves%2 == 1 {
			ok(t, c.Cover(t.Context(), "at", window...))
		} else {
			ok(t, c.Reload(t.Context()))
		}
		return ctx.Err() != nil || readEnough(onlookers, changed[:])
	})
	cancel(nil)
	reading.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	for _, o := range onlookers {
		t.Logf("%s: %d answers, %d not covered", o.name, o.answered.Load(), o.excluded.Load())
	}
	t.Logf("%d moves; planned again: table %d, reader %d, mirror %d", moves, changed[0].Load(), changed[1].Load(), changed[2].Load())
}

// readEnough tells whether everybody has met all that may happen, often.
func readEnough(onlookers []*onlooker, changed []atomic.Int64) bool {
	for _, o := range onlookers {
		if o.answered.Load() < 100 || o.excluded.Load() < 100 {
			return false
		}
	}
	for i := range changed {
		if changed[i].Load() < 10 {
			return false
		}
	}
	return true
}
