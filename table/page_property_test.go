package table_test

import (
	"cmp"
	gomaps "maps"
	"math"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tablecache-go/tablecache/table"
)

// Whatever is put, deleted, staged, merged or cleared between pages, each page is what the table has now behind the page before; and
// a record that stays where it is comes exactly once.
func TestR6_ARecordThatStaysIsListedOnce(t *testing.T) {
	t.Parallel()
	tbl := openItems(t, table.WithPageBytes(300)) // so that a page is made of several answers, at times
	rapid.Check(t, func(rt *rapid.T) {
		ok(t, tbl.ScratchAbort(t.Context()))
		ok(t, tbl.Clear(t.Context()))
		m := &pageMachine{t: t, tbl: tbl, shown: make(map[int64]item), staged: make(map[int64]item), gone: make(map[int64]bool)}
		rt.Repeat(rapid.StateMachineActions(m))
		m.abort()
		for _, l := range m.listings {
			for turns := 0; m.turn(rt, l); turns++ {
				if turns > 100 {
					rt.Fatal("a listing without an end")
				}
			}
		}
	})
}

// pageMachine is a table, what it must hold, and the listings under way.
type pageMachine struct {
	t        *testing.T
	tbl      *items
	shown    map[int64]item
	staged   map[int64]item
	gone     map[int64]bool // discarded in this session
	listings []*underWay
}

// underWay is a listing of which not all pages were read.
type underWay struct {
	spec  table.Spec[item]
	n     int
	after table.Token
	last  item // with which the page before ended, if after is set
	stays map[int64]bool
	seen  map[int64]int
}

func (l *underWay) score(i item) float64 {
	if l.spec.Index == "at" {
		return i.At
	}
	return i.Rank
}

// interval returns the number of the interval that a record lies in, in reading order; -1: it lies in none.
func (l *underWay) interval(i item) int {
	n := slices.IndexFunc(l.spec.Intervals, func(in table.Interval) bool { return in.Contains(l.score(i)) })
	if l.spec.Reverse && n >= 0 {
		return len(l.spec.Intervals) - 1 - n
	}
	return n
}

func (l *underWay) compare(a, b item) int {
	within := cmp.Or(cmp.Compare(l.score(a), l.score(b)), cmp.Compare(a.ID, b.ID))
	if l.spec.Reverse {
		within = -within
	}
	return cmp.Or(cmp.Compare(l.interval(a), l.interval(b)), within)
}

// left returns what of some records the pages to come must show.
func (l *underWay) left(records map[int64]item) (left []item) {
	for _, i := range records {
		if l.interval(i) >= 0 && (l.after == "" || l.compare(i, l.last) > 0) {
			left = append(left, i)
		}
	}
	slices.SortFunc(left, l.compare)
	return slices.DeleteFunc(left, func(i item) bool { return l.spec.Recheck != nil && !l.spec.Recheck(&i) })
}

// change notes what the table holds from now on.
func (m *pageMachine) change(to map[int64]item) {
	for _, l := range m.listings {
		for key := range l.stays {
			if now, there := to[key]; !there || l.score(now) != l.score(m.shown[key]) {
				delete(l.stays, key)
			}
		}
	}
	m.shown = to
}

func (m *pageMachine) Begin(t *rapid.T) {
	specs := []table.Spec[item]{m.tbl.All("at"), m.tbl.All("rank"),
		{Index: "rank", Intervals: []table.Interval{{GE: 1, LT: math.Inf(1)}, table.Only(0), {GE: math.Inf(-1), LT: -1}}},
		{Index: "at", Intervals: []table.Interval{{GE: 3, LT: 5}, {GE: 0, LT: 2}, {GE: 5, LT: 9}}}}
	l := &underWay{spec: rapid.SampledFrom(specs).Draw(t, "spec"), n: rapid.IntRange(1, 6).Draw(t, "n"),
		stays: make(map[int64]bool), seen: make(map[int64]int)}
	l.spec.Reverse = rapid.Bool().Draw(t, "reverse")
	if rapid.Bool().Draw(t, "with a predicate") {
		l.spec.Recheck = func(i *item) bool { return i.ID%3 != 0 }
	}
	for _, i := range l.left(m.shown) {
		l.stays[i.ID] = true
	}
	m.listings = append(m.listings, l)
}

func (m *pageMachine) Turn(t *rapid.T) {
	if len(m.listings) == 0 {
		return
	}
	i := rapid.IntRange(0, len(m.listings)-1).Draw(t, "listing")
	if !m.turn(t, m.listings[i]) {
		m.listings = slices.Delete(m.listings, i, i+1)
	}
}

// turn reads the next page, and returns false after the last.
func (m *pageMachine) turn(t *rapid.T, l *underWay) bool {
	records, next, err := m.tbl.Page(m.t.Context(), l.spec, l.after, l.n)
	if err != nil {
		t.Fatal(err)
	}
	want := l.left(m.shown)
	if len(want) < l.n && next != "" && l.spec.Recheck == nil || len(want) > l.n && next == "" {
		t.Fatalf("%d records are left, %d wanted, and the token is %q", len(want), l.n, next)
	}
	if want := want[:min(l.n, len(want))]; !slices.Equal(keysOf(records), keysOf(want)) {
		t.Fatalf("got %v, want %v", keysOf(records), keysOf(want))
	}
	for _, i := range records {
		if !reflect.DeepEqual(i, withTags(m.shown[i.ID])) {
			t.Fatalf("got %+v, want %+v", i, m.shown[i.ID])
		}
		l.seen[i.ID]++
	}
	if next != "" {
		if l.after = next; len(records) > 0 {
			l.last = records[len(records)-1]
		}
		return true
	}
	for key := range l.stays {
		if l.seen[key] != 1 {
			t.Fatalf("record %d stayed and came %d times", key, l.seen[key])
		}
	}
	return false
}

func drawItems(t *rapid.T) []item {
	scores := rapid.SampledFrom([]float64{math.Inf(-1), -1, 0, math.Copysign(0, -1), 1, math.Inf(1)})
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) item {
		return item{ID: rapid.Int64Range(0, 30).Draw(t, "id"), At: float64(rapid.IntRange(0, 9).Draw(t, "at")), Rank: scores.Draw(t, "rank"),
			Name: rapid.StringN(0, 9, 9).Draw(t, "name")}
	}), 1, 12).Draw(t, "records")
}

func (m *pageMachine) Put(t *rapid.T) {
	m.abort()
	records := drawItems(t)
	ok(m.t, m.tbl.Put(m.t.Context(), records...))
	m.change(with(m.shown, records))
}

func with(records map[int64]item, more []item) map[int64]item {
	all := gomaps.Clone(records)
	for _, i := range more {
		all[i.ID] = i
	}
	return all
}

func drawIDs(t *rapid.T) []int64 {
	return rapid.SliceOfN(rapid.Int64Range(0, 30), 1, 6).Draw(t, "keys")
}

func (m *pageMachine) DeleteKeys(t *rapid.T) {
	m.abort()
	keys := drawIDs(t)
	_, err := m.tbl.DeleteKeys(m.t.Context(), keys...)
	ok(m.t, err)
	left := gomaps.Clone(m.shown)
	gomaps.DeleteFunc(left, func(key int64, _ item) bool { return slices.Contains(keys, key) })
	m.change(left)
}

func (m *pageMachine) ScratchPut(t *rapid.T) {
	records := drawItems(t)
	ok(m.t, m.tbl.ScratchPut(m.t.Context(), records...))
	m.staged = with(m.staged, records)
	for _, i := range records {
		delete(m.gone, i.ID)
	}
}

func (m *pageMachine) ScratchDiscard(t *rapid.T) {
	keys := drawIDs(t)
	all := m.tbl.All("at").Where(func(i *item) bool { return slices.Contains(keys, i.ID) })
	_, err := m.tbl.ScratchDiscard(m.t.Context(), all)
	ok(m.t, err)
	for _, key := range keys {
		m.gone[key] = true
		delete(m.staged, key)
	}
}

func (m *pageMachine) Merge(*rapid.T) {
	ok(m.t, m.tbl.ScratchMerge(m.t.Context()))
	merged := with(m.shown, slices.Collect(gomaps.Values(m.staged)))
	gomaps.DeleteFunc(merged, func(key int64, _ item) bool { return m.gone[key] })
	m.end()
	m.change(merged)
}

func (m *pageMachine) abort() {
	ok(m.t, m.tbl.ScratchAbort(m.t.Context()))
	m.end()
}

func (m *pageMachine) end() {
	m.staged, m.gone = make(map[int64]item), make(map[int64]bool)
}

func (m *pageMachine) Clear(t *rapid.T) {
	if rapid.IntRange(0, 9).Draw(t, "really") > 0 {
		return // else little would stay
	}
	ok(m.t, m.tbl.Clear(m.t.Context()))
	m.end()
	m.change(make(map[int64]item))
}

// Check checks that the table holds what the machine takes it to hold.
func (m *pageMachine) Check(t *rapid.T) {
	all := &underWay{spec: m.tbl.All("rank")}
	if got, want := ids(m.t, m.tbl, all.spec), keysOf(all.left(m.shown)); !slices.Equal(got, want) {
		t.Fatalf("the table holds %v, want %v", got, want)
	}
}
