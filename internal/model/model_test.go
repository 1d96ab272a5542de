package model

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// record has a score that stays and one that moves.
type record struct {
	key        string
	fixed, now float64
}

func newTable(records ...record) *Table[record] {
	t := New(Schema[record]{
		Key: func(r *record) string { return r.key },
		Score: func(r *record, index string) float64 {
			if index == "fixed" {
				return r.fixed
			}
			return r.now
		},
		Equal: func(a, b *record) bool { return *a == *b },
	})
	t.Put(records...)
	return t
}

func all(index string) Spec[record] { return between(index, math.Inf(-1), math.Inf(1)) }

func between(index string, ge, lt float64) Spec[record] {
	return Spec[record]{Index: index, Intervals: []Interval{{ge, lt}}}
}

// a, b and c are old records; a2 and b2 are newer versions of two of them.
var (
	a, b, c = record{"a", 1, 30}, record{"b", 2, 20}, record{"c", 3, 10}
	a2, b2  = record{"a", 1, 5}, record{"b", 2, 25}
)

// wantKeys fails unless records have these keys, in this order.
func wantKeys(t *testing.T, what string, got []record, want string) {
	t.Helper()
	var keys []string
	for _, r := range got {
		keys = append(keys, r.key)
	}
	if s := strings.Join(keys, " "); s != want {
		t.Errorf("%s: got %q, want %q", what, s, want)
	}
}

// wantRecords fails unless a table shows these records, in the order of their keys.
func wantRecords(t *testing.T, what string, tbl *Table[record], want ...record) {
	t.Helper()
	if got := tbl.Read(all("fixed")); !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
	if n := tbl.Records(); n != len(want) {
		t.Errorf("%s: %d records, want %d", what, n, len(want))
	}
}

func wantLock(t *testing.T, what string, tbl *Table[record], state State, generation uint32, staged int) {
	t.Helper()
	if tbl.State != state || tbl.Generation != generation || tbl.Staged() != staged {
		t.Errorf("%s: %v, generation %d, %d staged; want %v, %d, %d", what, tbl.State, tbl.Generation, tbl.Staged(), state, generation, staged)
	}
}

func TestG2_APutReplacesRecordsAndTheirScores(t *testing.T) {
	tbl := newTable(c, a, b)
	wantRecords(t, "put", tbl, a, b, c)
	tbl.Put(a2)
	wantRecords(t, "put again", tbl, a2, b, c)
	wantKeys(t, "by the score that has moved", tbl.Read(all("now")), "a c b")
	wantKeys(t, "at the old score", tbl.Read(between("now", 30, 31)), "")
	if tbl.Put(); tbl.Version != 2 {
		t.Errorf("version %d after two puts of something", tbl.Version)
	}
}

func TestG12_OfTwoRecordsWithOneKeyTheLastWins(t *testing.T) {
	wantRecords(t, "put", newTable(a, b, a2, b2, b), a2, b)
	tbl := newTable()
	tbl.Stage(a2, a)
	tbl.Merge()
	wantRecords(t, "staged", tbl, a)
}

func TestDeletesReturnWhatIsGone(t *testing.T) {
	tbl := newTable(a, b, c)
	wantKeys(t, "deleted", tbl.Delete(between("now", 0, 25)), "c b")
	wantRecords(t, "after that", tbl, a)
	if n := tbl.DeleteKeys("a", "b", "a"); n != 1 {
		t.Errorf("%d deleted, want 1", n)
	}
	wantRecords(t, "in the end", tbl)
	if tbl.DeleteKeys("a"); tbl.Version != 3 {
		t.Errorf("version %d after a put and two deletes of something", tbl.Version)
	}
}

func TestD1_WhatIsStagedMakesATableActive(t *testing.T) {
	tbl := newTable(a)
	tbl.Stage()
	tbl.Discard(between("now", 0, 1))
	tbl.DiscardKeys("b")
	wantLock(t, "nothing is staged", tbl, StateClear, 0, 0)
	tbl.Stage(b)
	wantLock(t, "a row", tbl, StateActive, 0, 1)
	tbl.Abort()
	wantLock(t, "aborted", tbl, StateClear, 0, 0)
	tbl.DiscardKeys("a", "b", "a")
	wantLock(t, "a tombstone", tbl, StateActive, 0, 1)
}

func TestD2_WhatIsStagedIsNotSeen(t *testing.T) {
	tbl := newTable(a, b)
	tbl.Stage(a2, c)
	tbl.DiscardKeys("b")
	wantRecords(t, "active", tbl, a, b)
	wantKeys(t, "looked up", tbl.Lookup("c", "b"), "b")
	if tbl.Version != 1 {
		t.Errorf("version %d: staging changes nothing in place", tbl.Version)
	}
}

func TestD5_AMergeShowsStagedRowsOverMergedRows(t *testing.T) {
	tbl := newTable(a, b, c)
	tbl.Stage(a2)
	tbl.DiscardKeys("b")
	tbl.Merge()
	wantLock(t, "merging", tbl, StateMerging, 1, 2)
	wantRecords(t, "merging", tbl, a2, c)
	wantKeys(t, "at the old score", tbl.Read(between("now", 30, 31)), "")
	wantKeys(t, "looked up", tbl.Lookup("b", "a"), "a")
	tbl.Merge()
	tbl.Abort()
	wantLock(t, "nothing but the fold ends a merge", tbl, StateMerging, 1, 2)
	tbl.Fold()
	wantLock(t, "folded", tbl, StateClear, 1, 0)
	wantRecords(t, "folded", tbl, a2, c)
}

func TestD6_AbortDropsWhatIsStaged(t *testing.T) {
	for what, drop := range map[string]func(*Table[record]){"abort": (*Table[record]).Abort, "reopen": (*Table[record]).Reopen} {
		tbl := newTable(a, b)
		tbl.Stage(c)
		tbl.DiscardKeys("a")
		drop(tbl)
		tbl.Merge()
		tbl.Fold()
		wantLock(t, what, tbl, StateClear, 0, 0)
		wantRecords(t, what, tbl, a, b)
	}
}

func TestD8_DiscardSeesTheStagedView(t *testing.T) {
	tbl := newTable(a, b)
	tbl.Stage(a2, c)
	wantKeys(t, "where a is no more", tbl.Discard(between("now", 30, 31)), "")
	wantKeys(t, "where a has gone, and c", tbl.Discard(between("now", 0, 11)), "a c")
	wantKeys(t, "once more", tbl.Discard(between("now", 0, 11)), "")
	if n := tbl.DiscardKeys("c", "b"); n != 1 {
		t.Errorf("%d discarded, want 1: c is discarded already", n)
	}
	wantLock(t, "discarded", tbl, StateActive, 0, 3)
	tbl.Stage(c)
	tbl.Merge()
	wantRecords(t, "c is revived", tbl, c)
}

func TestD11_ClearDropsEverythingInAnyState(t *testing.T) {
	for what, reach := range map[string]func(*Table[record]){
		"clear":   func(*Table[record]) {},
		"active":  func(tbl *Table[record]) { tbl.Stage(c) },
		"whole":   func(tbl *Table[record]) { tbl.DiscardAll() },
		"merging": func(tbl *Table[record]) { tbl.Stage(c); tbl.Merge() },
	} {
		tbl := newTable(a, b)
		reach(tbl)
		generation := tbl.Generation
		tbl.Clear()
		wantLock(t, what, tbl, StateClear, generation, 0)
		wantRecords(t, what, tbl)
		if tbl.Version != 2 {
			t.Errorf("%s: version %d, want 2", what, tbl.Version)
		}
	}
}

func TestD3_AWriteThatWouldWaitPanics(t *testing.T) {
	writes := map[string]func(*Table[record]){
		"put":     func(tbl *Table[record]) { tbl.Put(c) },
		"delete":  func(tbl *Table[record]) { tbl.DeleteKeys("a") },
		"stage":   func(tbl *Table[record]) { tbl.Stage(c) },
		"discard": func(tbl *Table[record]) { tbl.DiscardKeys("a") },
	}
	for state, waits := range map[State][]string{
		StateClear:   nil,
		StateActive:  {"put", "delete"},
		StateMerging: {"put", "delete", "stage", "discard"},
	} {
		for what, write := range writes {
			tbl := newTable(a)
			if state != StateClear {
				tbl.Stage(b)
			}
			if state == StateMerging {
				tbl.Merge()
			}
			if got, want := panics(func() { write(tbl) }), slices.Contains(waits, what); got != want {
				t.Errorf("%s in state %v panics: %v, want %v", what, state, got, want)
			}
		}
	}
}

func panics(call func()) (did bool) {
	defer func() { did = recover() != nil }()
	call()
	return false
}

func TestClonesAreIndependent(t *testing.T) {
	tbl := newTable(a, b)
	tbl.Stage(c)
	before := tbl.Clone()
	tbl.Stage(a2)
	tbl.DiscardKeys("b", "c")
	tbl.Merge()
	tbl.Fold()
	tbl.Put(b2)
	wantRecords(t, "the table", tbl, a2, b2)
	wantLock(t, "its clone", before, StateActive, 0, 1)
	wantRecords(t, "its clone", before, a, b)
	before.Merge()
	wantRecords(t, "its clone, merged", before, a, b, c)
}

func TestEqualComparesEverything(t *testing.T) {
	base := func() *Table[record] { tbl := newTable(a, b); tbl.Stage(c); return tbl }
	for what, c := range map[string]struct {
		change    func(*Table[record])
		rows, all bool
	}{
		"nothing":              {func(*Table[record]) {}, true, true},
		"a state":              {func(tbl *Table[record]) { tbl.Merge(); tbl.Generation = 0 }, true, false},
		"a generation":         {func(tbl *Table[record]) { tbl.Generation++ }, true, false},
		"a version":            {func(tbl *Table[record]) { tbl.Version++ }, true, false},
		"a staged record":      {func(tbl *Table[record]) { tbl.Stage(record{"c", 3, 11}) }, false, false},
		"a record more":        {func(tbl *Table[record]) { tbl.Stage(a2) }, false, false},
		"a tombstone":          {func(tbl *Table[record]) { tbl.DiscardKeys("c") }, false, false},
		"a merged record":      {func(tbl *Table[record]) { tbl.Abort(); tbl.Put(b2); tbl.Stage(c); tbl.Version = 1 }, false, false},
		"there and back again": {func(tbl *Table[record]) { tbl.DiscardKeys("c"); tbl.Stage(c) }, true, true},
	} {
		tbl := base()
		c.change(tbl)
		if got := tbl.SameRows(base()); got != c.rows {
			t.Errorf("%s differs: same rows %v, want %v", what, got, c.rows)
		}
		if got := base().Equal(tbl); got != c.all {
			t.Errorf("%s differs: equal %v, want %v", what, got, c.all)
		}
	}
}

func TestStringWritesEverythingDown(t *testing.T) {
	tbl := newTable(a, b)
	tbl.Stage(c)
	tbl.DiscardKeys("a")
	want := `active, generation 0, version 1
  merged "a": {key:a fixed:1 now:30}
  merged "b": {key:b fixed:2 now:20}
  staged "a": tombstone
  staged "c": {key:c fixed:3 now:10}
`
	if got := tbl.String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestD12_WhatIsStagedStandsForTheWhole(t *testing.T) {
	tbl := newTable(a, b)
	tbl.Stage(c)
	if n := tbl.DiscardAll(); n != 3 {
		t.Errorf("discarded %d", n)
	}
	wantLock(t, "beside what is staged there are tombstones", tbl, StateActive, 0, 3)
	tbl.Abort()
	if n := tbl.DiscardAll(); n != 2 {
		t.Errorf("discarded %d", n)
	}
	wantLock(t, "whole", tbl, StateActive, 0, 0)
	wantRecords(t, "whole", tbl, a, b)
	tbl.Stage(b, c)
	wantKeys(t, "of what is staged", tbl.Discard(between("now", 0, 1000)), "c b")
	wantLock(t, "no tombstones", tbl, StateActive, 0, 0)
	tbl.Stage(c)
	tbl.Merge()
	wantRecords(t, "merging", tbl, c)
	tbl.Fold()
	wantRecords(t, "folded", tbl, c)
	tbl.Stage(a)
	tbl.Merge()
	tbl.Fold()
	wantKeys(t, "whole no more", tbl.Read(between("now", 0, 1000)), "c a")
}
