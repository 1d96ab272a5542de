package cache_test

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"github.com/tablecache-go/tablecache/cache"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// modelSteps and sourceFailures are the volume of the two long tests; docs/CACHE.md says which was run.
var (
	modelSteps     = flag.Int("cache.steps", 3_000, "how many steps a cache is compared with its model for, at least")
	sourceFailures = flag.Int("cache.failures", 1_000, "how many failures of the source there are, at least")
)

// The scores of the model's records are whole numbers below points. A cell is one of these numbers, or what lies between two of them.
const (
	points = 12
	cells  = 2*points + 1
	ids    = 10
)

func cellOf(score float64) int { return 1 + 2*int(score) }

func intervalOf(cell int) interval {
	n := float64(cell / 2)
	switch {
	case cell == 0:
		return from(-inf, 0)
	case cell == cells-1:
		return from(math.Nextafter(n-1, inf), inf)
	case cell%2 == 1:
		return table.Only(n)
	}
	return from(math.Nextafter(n-1, inf), n)
}

// model says what a cache must say, one call after another.
type model struct {
	source  map[int64]item
	held    map[int64]item
	covered [cells]bool
	marks   [cells]mark
	loaded  [cells]time.Time
	keys    map[int64]bool
	fails   bool
	fetches int
	now     time.Time
}

type mark int

const (
	valid mark = iota
	unknown
	invalid
)

// fetch replaces what is held in some cells with what the source has.
func (m *model) fetch(in func(cell int) bool) bool {
	m.fetches++
	if m.fails {
		return false
	}
	maps.DeleteFunc(m.held, func(_ int64, i item) bool { return in(cellOf(i.At)) })
	for _, i := range m.source {
		if in(cellOf(i.At)) {
			m.held[i.ID] = i
		}
	}
	for cell := range cells {
		if in(cell) {
			m.covered[cell], m.marks[cell], m.loaded[cell] = true, valid, m.now
		}
	}
	return true
}

func (m *model) fetchKeys(keys ...int64) bool {
	if m.coversNothing() {
		m.forget(keys...)
		return true
	}
	m.fetches++
	if m.fails {
		return false
	}
	for _, id := range keys {
		if i, has := m.source[id]; has && m.covered[cellOf(i.At)] {
			m.held[id] = i
		} else {
			delete(m.held, id)
		}
	}
	m.forget(keys...)
	return true
}

func (m *model) forget(keys ...int64) {
	for _, id := range keys {
		delete(m.keys, id)
	}
}

func (m *model) coversNothing() bool { return !slices.Contains(m.covered[:], true) }

func (m *model) coversAll() bool { return !slices.Contains(m.covered[:], false) }

// cover makes some cells the coverage.
func (m *model) cover(target [cells]bool) bool {
	gap := func(cell int) bool { return target[cell] && !m.covered[cell] }
	anew := !slices.ContainsFunc(all(), func(cell int) bool { return target[cell] && m.covered[cell] })
	if slices.ContainsFunc(all(), gap) && !m.fetch(gap) {
		return false
	}
	for cell := range cells {
		if !target[cell] {
			m.covered[cell], m.marks[cell] = false, valid
		}
	}
	maps.DeleteFunc(m.held, func(_ int64, i item) bool { return !target[cellOf(i.At)] })
	if anew {
		clear(m.keys)
	}
	return true
}

func all() []int {
	cell := make([]int, cells)
	for i := range cell {
		cell[i] = i
	}
	return cell
}

// freshness of the model.
type freshness struct {
	most time.Duration // negative: AsIs
	of   cache.Freshness
}

func (m *model) allows(f freshness, cell int) bool {
	return f.most < 0 || f.most > 0 && m.now.Sub(m.loaded[cell]) <= f.most
}

// freshen has fetched what of some cells, and which of some keys, is not fresh enough.
func (m *model) freshen(f freshness, touched, clip func(int) bool, keys []int64) bool {
	needsKeys := slices.ContainsFunc(all(), func(cell int) bool { return touched(cell) && !m.allows(f, cell) }) || f.most == 0
	keys = slices.DeleteFunc(keys, func(id int64) bool { return !m.keys[id] })
	if needsKeys && len(keys) > 0 && !m.fetchKeys(keys...) {
		return false
	}
	var stale [cells]bool
	for cell := range cells {
		stale[cell] = touched(cell) && clip(cell) && m.marks[cell] != valid && !m.allows(f, cell)
	}
	return !slices.Contains(stale[:], true) || m.fetchAnew(func(cell int) bool { return stale[cell] })
}

// fetchAnew is fetch. If nothing that is covered stays as it is, no key does.
func (m *model) fetchAnew(in func(int) bool) bool {
	done := m.fetch(in)
	if done && !slices.ContainsFunc(all(), func(cell int) bool { return m.covered[cell] && !in(cell) }) {
		clear(m.keys)
	}
	return done
}

// machine is a cache beside its model.
type machine struct {
	*model
	t     *rapid.T
	tb    testing.TB
	rdb   *redis.Client
	src   *source
	tbl   *items
	cache *caches
	clock *clock
	steps *int
	n     int64
}

func (m *machine) open(name string) {
	if m.cache != nil {
		ok(m.tb, m.cache.Close())
	}
	was := m.tbl
	tbl, err := table.Open(m.tb.Context(), m.rdb, definition(name))
	ok(m.tb, err)
	if was != nil {
		was.Close()
	}
	m.tbl = tbl
	m.cache, err = cache.New(m.tb.Context(), tbl, m.src, cache.WithClock(m.clock.now))
	ok(m.tb, err)
}

func (m *machine) cellsOf(label string) (set [cells]bool, in []interval) {
	for range rapid.IntRange(1, 3).Draw(m.t, label) {
		first := rapid.IntRange(0, cells-1).Draw(m.t, "first")
		last := min(cells-1, first+rapid.IntRange(0, 8).Draw(m.t, "more"))
		for cell := first; cell <= last; cell++ {
			set[cell] = true
		}
	}
	if rapid.IntRange(0, 9).Draw(m.t, "all") == 0 {
		for cell := range cells {
			set[cell] = true
		}
	}
	for cell := range cells {
		if last := len(in) - 1; set[cell] && last >= 0 && cell > 0 && set[cell-1] {
			in[last].LT = intervalOf(cell).LT
		} else if set[cell] {
			in = append(in, intervalOf(cell))
		}
	}
	return set, in
}

func (m *machine) freshness() freshness {
	d := time.Duration(rapid.IntRange(1, 10).Draw(m.t, "minutes")) * time.Minute
	return rapid.SampledFrom([]freshness{{0, cache.Fresh()}, {d, cache.MaxStale(d)}, {-1, cache.AsIs()}}).Draw(m.t, "freshness")
}

// expect checks whether a call has failed as the model has.
func (m *machine) expect(done bool, err error) {
	m.tb.Helper()
	if done != (err == nil) || !done && !errors.Is(err, cache.ErrSource) {
		m.t.Fatalf("got %v, and the model's call has succeeded: %v", err, done)
	}
}

func (m *machine) actions() map[string]func(*rapid.T) {
	actions := map[string]func(*machine){
		"change the source": func(m *machine) {
			m.n++
			i := item{rapid.Int64Range(0, ids-1).Draw(m.t, "id"), float64(rapid.IntRange(0, points-1).Draw(m.t, "at")), m.n}
			m.source[i.ID] = i
			m.src.put(i)
		},
		"delete in the source": func(m *machine) {
			id := rapid.Int64Range(0, ids-1).Draw(m.t, "id")
			delete(m.source, id)
			m.src.delete(id)
		},
		"the source fails, or is well": func(m *machine) {
			m.fails = rapid.IntRange(0, 3).Draw(m.t, "ill") == 0
			m.src.heal()
			if m.fails {
				kind := rapid.IntRange(0, len(failures)-1).Draw(m.t, "failure")
				m.src.set(func(s *source) { s.wrong = failures[kind] })
			}
		},
		"time passes": func(m *machine) {
			m.clock.advance(time.Duration(rapid.IntRange(1, 5).Draw(m.t, "minutes")) * time.Minute)
			m.now = m.clock.now()
		},
		"cover": func(m *machine) {
			set, in := m.cellsOf("intervals")
			m.expect(m.cover(set), m.cache.Cover(m.tb.Context(), "at", in...))
		},
		"reload": func(m *machine) {
			covered := m.covered
			done := m.coversNothing() || m.fetchAnew(func(cell int) bool { return covered[cell] })
			m.expect(done, m.cache.Reload(m.tb.Context()))
		},
		"refresh": func(m *machine) {
			covered := m.covered
			done := m.freshen(freshness{}, func(cell int) bool { return covered[cell] }, func(cell int) bool { return covered[cell] }, everyID())
			m.expect(done, m.cache.Refresh(m.tb.Context()))
		},
		"invalidate": func(m *machine) {
			set, in := m.cellsOf("intervals")
			if rapid.IntRange(0, 5).Draw(m.t, "by another index") == 0 {
				ok(m.tb, m.cache.Invalidate("value", from(0, 1)))
				set = m.covered
				if m.coversNothing() {
					return
				}
			} else {
				ok(m.tb, m.cache.Invalidate("at", in...))
			}
			for cell := range cells {
				if set[cell] && m.covered[cell] {
					m.marks[cell] = invalid
				}
			}
		},
		"invalidate keys": func(m *machine) {
			keys := rapid.SliceOfN(rapid.Int64Range(0, ids-1), 1, 3).Draw(m.t, "keys")
			ok(m.tb, m.cache.InvalidateKeys(keys...))
			for _, id := range keys {
				m.keys[id] = true
			}
		},
		"replayed": func(m *machine) {
			m.cache.Replayed()
			for cell := range cells {
				if m.marks[cell] == unknown {
					m.marks[cell] = valid
				}
			}
		},
		"clear": func(m *machine) {
			if rapid.IntRange(0, 5).Draw(m.t, "really") > 0 {
				return
			}
			ok(m.tb, m.tbl.Clear(m.tb.Context()))
			_, err := m.cache.Get(m.tb.Context(), 0, cache.AsIs()) // so that the cache learns of it
			wantErr(m.tb, err, cache.ErrNotCovered)
			m.covered, m.marks = [cells]bool{}, [cells]mark{}
			clear(m.held)
		},
		"another owner": func(m *machine) {
			if rapid.IntRange(0, 5).Draw(m.t, "really") > 0 {
				return
			}
			m.open(m.tbl.Name())
			clear(m.keys)
			for cell := range cells {
				if m.covered[cell] {
					m.marks[cell] = unknown
				}
			}
		},
		"read": func(m *machine) {
			set, in := m.cellsOf("intervals")
			f := m.freshness()
			got, err := read(m.tb, m.cache, f.of, in...)
			inSet := func(cell int) bool { return set[cell] }
			if slices.ContainsFunc(all(), func(cell int) bool { return set[cell] && !m.covered[cell] }) {
				m.notCovered(err)
				return
			}
			if done := m.freshen(f, inSet, inSet, everyID()); !done {
				m.expect(done, err)
				return
			}
			m.expect(true, err)
			m.compare(got, inSet)
		},
		"read by another index": func(m *machine) {
			f := m.freshness()
			got, err := table.Collect(m.cache.Records(m.tb.Context(), table.Spec[item]{Index: "value", Intervals: []interval{everything}}, f.of))
			if !m.coversAll() {
				m.notCovered(err)
				return
			}
			every := func(int) bool { return true }
			done := m.freshen(f, every, every, everyID())
			if m.expect(done, err); done {
				m.compare(got, every)
			}
		},
		"get": func(m *machine) { m.get() },
	}
	steps := make(map[string]func(*rapid.T), len(actions)+1)
	for name, act := range actions {
		steps[name] = func(t *rapid.T) { m.t = t; act(m); *m.steps++ }
	}
	steps[""] = func(t *rapid.T) { m.t = t; m.check() }
	return steps
}

func everyID() []int64 {
	keys := make([]int64, ids)
	for i := range keys {
		keys[i] = int64(i)
	}
	return keys
}

func (m *machine) notCovered(err error) {
	if !errors.Is(err, cache.ErrNotCovered) {
		m.t.Fatalf("got %v, want ErrNotCovered", err)
	}
}

func (m *machine) compare(got []item, in func(int) bool) {
	var wanted []item
	for _, i := range m.held {
		if in(cellOf(i.At)) {
			wanted = append(wanted, i)
		}
	}
	if !slices.Equal(sorted(got), sorted(wanted)) {
		m.t.Fatalf("got %v, want %v", sorted(got), sorted(wanted))
	}
}

// get looks a key up. The model does what that may have fetched until the answer stands.
func (m *machine) get() {
	id, f := rapid.Int64Range(0, ids-1).Draw(m.t, "id"), m.freshness()
	got, err := m.cache.Get(m.tb.Context(), id, f.of)
	for range 4 {
		i, has := m.held[id]
		isKnown := has || m.coversAll()
		in := func(cell int) bool { return isKnown && (!has || cell == cellOf(i.At)) }
		before := m.fetches
		if done := m.freshen(f, in, in, []int64{id}); !done {
			m.expect(done, err)
			return
		}
		if _, has = m.held[id]; !has && !m.coversAll() {
			m.notCovered(err)
			return
		}
		if m.fetches > before {
			continue // it may be elsewhere now
		}
		if !has && errors.Is(err, table.ErrNotFound) || has && err == nil && got == i {
			return
		}
		break
	}
	m.t.Fatalf("got %v (%v), want %v", got, err, m.held[id])
}

// check compares the coverage, and how often the source was asked.
func (m *machine) check() {
	if n := m.src.count(); n != m.fetches {
		m.t.Fatalf("%d fetches, want %d", n, m.fetches)
	}
	spans := m.cache.Coverage().Spans
	for cell := range cells {
		in := intervalOf(cell)
		at := slices.IndexFunc(spans, func(s cache.Span) bool { return s.Covers(in) })
		if (at >= 0) != m.covered[cell] {
			m.t.Fatalf("%v is covered: %v, want %v; %v", in, at >= 0, m.covered[cell], spans)
		}
		if at >= 0 && (spans[at].Invalid != (m.marks[cell] != valid) || !spans[at].Loaded.Equal(m.loaded[cell])) {
			m.t.Fatalf("%v is %v, want %v, loaded %v", in, spans[at], m.marks[cell], m.loaded[cell])
		}
	}
}

// failures are what a source may do instead of what it should.
var failures = []func(yield func(item, error) bool){
	func(yield func(item, error) bool) { yield(item{}, errSource) },
	func(yield func(item, error) bool) { panic("the source") },
	func(yield func(item, error) bool) { _ = yield(item{1, 1, 1}, nil) && yield(item{1, 2, 2}, nil) },
	func(yield func(item, error) bool) { yield(item{ID: 3, At: math.NaN()}, nil) },
}

// A cache is compared with a model of its source, its coverage and the time.
func TestACacheDoesWhatItsModelDoes(t *testing.T) {
	t.Parallel()
	steps, tables, rdb := 0, 0, redistest.Shared(t).Client(t)
	for steps < *modelSteps && !t.Failed() {
		rapid.Check(t, func(rt *rapid.T) {
			tables++
			c := newClock()
			m := &machine{model: &model{source: map[int64]item{}, held: map[int64]item{}, keys: map[int64]bool{}, now: c.now()},
				tb: t, t: rt, rdb: rdb, src: newSource(), clock: c, steps: &steps}
			name := fmt.Sprintf("%s-%d", redistest.Prefix(t), tables)
			m.open(name)
			defer m.close(name)
			rt.Repeat(m.actions())
		})
	}
	t.Logf("%d steps", steps)
}

func (m *machine) close(name string) {
	m.cache.Close()
	m.tbl.Close()
	ok(m.tb, table.Drop(m.tb.Context(), m.rdb, name))
}
