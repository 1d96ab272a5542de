package mirror_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/tablecache-go/tablecache/mirror"
)

// TestM1_ReadersDuringMerges has readers read all that they can while the table is reloaded, again and again: each read is of one
// generation, in both indexes. Under the race detector it also shows that reading writes nothing.
func TestM1_ReadersDuringMerges(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	generation := func(n int) []item {
		all := numbered(0, 300)
		for i := range all {
			all[i].At, all[i].Rank = float64((i*7+n)%50), float64(n)
		}
		return all
	}
	put(t, tbl, generation(0)...)
	m := mirrorOf(t, tbl)
	ctx, cancel := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range 32 {
		readers.Go(func() {
			for ctx.Err() == nil && !t.Failed() {
				readsOneGeneration(t, m)
			}
		})
	}
	for n := 1; n <= 20; n++ {
		ok(t, tbl.ScratchPut(t.Context(), generation(n)...))
		ok(t, tbl.ScratchMerge(t.Context()))
		ok(t, tbl.WaitClear(t.Context()))
		again := generation(n)[:20]
		for i := range again {
			again[i].Name = "again"
		}
		put(t, tbl, again...)
		catchUp(t, m, tbl)
	}
	cancel()
	readers.Wait()
}

func readsOneGeneration(t *testing.T, m *mirrors) {
	ctx := context.Background()
	s := m.Snapshot()
	byRank, byAt := all(t, s.Records(ctx, s.All("rank"))), all(t, s.Records(ctx, s.Range("at", 0, 50).Reversed()))
	if len(byRank) != 300 || len(byAt) != 300 || byRank[0].Rank != byRank[299].Rank || byAt[7].Rank != byRank[0].Rank {
		t.Errorf("%d and %d records, or of several generations", len(byRank), len(byAt))
	}
	got := all(t, m.Lookup(ctx, 1, 299, 150))
	if len(got) != 3 || got[0].Rank != got[1].Rank || got[1].Rank != got[2].Rank {
		t.Errorf("a look-up is of several generations: %v", got)
	}
	if n, err := m.Count(ctx, m.Range("at", 0, 25)); err != nil || n != 150 {
		t.Errorf("counted %d, %v", n, err)
	}
	page, next, err := m.Page(ctx, m.All("at"), "", 10)
	if err != nil || next == "" || len(page) != 10 || !slices.IsSortedFunc(page, func(a, b item) int { return int(a.At - b.At) }) {
		t.Errorf("a page: %v, %v", page, err)
	}
}

// TestM4_AnIdenticalReloadIsSilent, and needs no memory for records.
func TestM4_AnIdenticalReloadIsSilent(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 100)...)
	m := mirrorOf(t, tbl)
	next, stop := nextChange(m.Changes(t.Context(), m.Range("at", 0, 20)))
	defer stop()
	for _, want := range []mirror.Kind{mirror.Enter, mirror.Enter, mirror.Caught} {
		if c, err := next(t); err != nil || c.Kind != want {
			t.Errorf("got %v, %v, want %v", c, err, want)
		}
	}
	_, err := tbl.ScratchDiscard(t.Context(), tbl.All("at"))
	ok(t, err)
	ok(t, tbl.ScratchPut(t.Context(), numbered(0, 100)...))
	ok(t, tbl.ScratchMerge(t.Context()))
	ok(t, tbl.WaitClear(t.Context()))
	put(t, tbl, numbered(0, 50)...)
	put(t, tbl, item{ID: 1, Name: "another", At: 10})
	c, err := next(t)
	if ok(t, err); c.Kind != mirror.Update || c.Key != 1 || c.Before.Name != "n1" || c.After.Name != "another" {
		t.Errorf("got %+v", c)
	}
}

// TestM1_AReadAllocatesNothingForARecord.
func TestM1_AReadAllocatesNothingForARecord(t *testing.T) {
	tbl := openItems(t)
	put(t, tbl, numbered(0, 1000)...)
	m := mirrorOf(t, tbl)
	ctx := t.Context()
	allocs := func(s spec) float64 {
		return testing.AllocsPerRun(20, func() {
			for _, err := range m.Records(ctx, s) {
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	for what, s := range map[string]func(spec) spec{
		"forward":  func(s spec) spec { return s },
		"reversed": spec.Reversed,
		"judged":   func(s spec) spec { return s.Where(func(i *item) bool { return i.ID >= 0 }) },
	} {
		if few, many := allocs(s(m.Range("at", 0, 100))), allocs(s(m.All("at"))); many != few || many > 20 {
			t.Errorf("%s: %v allocations for 10 records, %v for 1,000", what, few, many)
		}
	}
}
