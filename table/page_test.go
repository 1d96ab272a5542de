package table_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// listed returns all pages of a listing. Each must be full but the last.
func listed(t testing.TB, tbl *items, s table.Spec[item], n int) (pages [][]int64) {
	t.Helper()
	for after := table.Token(""); ; {
		records, next, err := tbl.Page(t.Context(), s, after, n)
		ok(t, err)
		pages = append(pages, keysOf(records))
		if next == "" {
			return pages
		}
		if len(pages) > 1000 {
			t.Fatalf("%v of %s by %d: no end", s.Intervals, s.Index, n)
		}
		if len(records) != n {
			t.Errorf("page %d has %d records, want %d", len(pages), len(records), n)
		}
		after = next
	}
}

// listings are specs with ties, several intervals and infinite scores.
func listings(tbl *items) []table.Spec[item] {
	specs := []table.Spec[item]{tbl.All("at"), tbl.All("rank"), {Index: "rank"}, tbl.Range("rank", 1, 1),
		{Index: "rank", Intervals: []table.Interval{{GE: 2, LT: math.Inf(1)}, {GE: math.Inf(-1), LT: -1}, table.Only(0)}},
		{Index: "at", Intervals: []table.Interval{{GE: 500, LT: 1000}, {GE: 100, LT: 200}, {GE: 250, LT: 251}, {GE: 3, LT: 3}}}}
	for _, s := range specs {
		specs = append(specs, s.Reversed())
	}
	return specs
}

// infinite returns items of which some have the rank -Inf, some +Inf, and some -0 or 0.
func infinite(from, to int) []item {
	all := numbered(from, to)
	for i := range all {
		all[i].Rank = []float64{math.Inf(-1), 0, math.Copysign(0, -1), 2, math.Inf(1)}[i%5]
	}
	return all
}

func wantListings(t *testing.T, tbl *items) {
	t.Helper()
	for _, s := range listings(tbl) {
		want := ids(t, tbl, s)
		for _, n := range []int{1, 7, len(want) - 1, len(want), len(want) + 1, math.MaxInt} {
			if n <= 0 {
				continue
			}
			pages := listed(t, tbl, s, n)
			if got := slices.Concat(pages...); !slices.Equal(got, want) {
				t.Errorf("%v of %s, reverse %t, by %d: got %v, want %v", s.Intervals, s.Index, s.Reverse, n, got, want)
			}
			if least := max(1, (len(want)-1)/n+1); len(pages) != least {
				t.Errorf("%v of %s by %d: %d records on %d pages, want %d", s.Intervals, s.Index, n, len(want), len(pages), least)
			}
		}
	}
}

func TestR6_PagesAreTheAnswerInParts(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, infinite(0, 120)...)
	wantListings(t, tbl)
}

// Pages are as full while a merge is being folded: before the fold, in the midst of it, and after it.
func TestR6_PagesOverAMerge(t *testing.T) {
	t.Parallel()
	tbl, brake := openBraked(t)
	put(t, tbl, infinite(0, 150)...)
	ok(t, discard(0, 400)(t.Context(), tbl))
	ok(t, tbl.ScratchPut(t.Context(), infinite(100, 160)...))
	merge(t, tbl)
	wantListings(t, tbl)
	brake.turnUntilHalf(t, tbl)
	wantListings(t, tbl)
	brake.release()
	ok(t, tbl.WaitClear(t.Context()))
	wantListings(t, tbl)
}

// A page that more rows are hidden from than one answer looks at is full all the same.
func TestR6_ALongStretchThatAMergeHidesIsPassedOver(t *testing.T) {
	t.Parallel()
	tbl, _ := openBraked(t)
	put(t, tbl, numbered(0, 50_000)...)
	ok(t, discard(10, 499_900)(t.Context(), tbl)) // 2,000 in an answer
	merge(t, tbl)
	pages := listed(t, tbl, tbl.All("at"), 4)
	if len(pages) != 3 || !slices.Equal(pages[0], []int64{0, 49_990, 49_991, 49_992}) {
		t.Errorf("got %v", pages)
	}
	all := tbl.All("at").Where(func(*item) bool { return true })
	if pages := listed(t, tbl, all, 4); len(pages) != 3 || len(pages[0]) != 4 {
		t.Errorf("with a predicate: got %v", pages)
	}
}

// A page may be larger than any answer: then it is read in parts.
func TestR6_LargePages(t *testing.T) {
	t.Parallel()
	tbl := openItems(t, smallPages())
	put(t, tbl, numbered(0, 3000)...)
	for _, index := range []string{"at", "rank"} {
		want := ids(t, tbl, tbl.All(index))
		for _, n := range []int{999, 1000, 1001, 2500} {
			if got := slices.Concat(listed(t, tbl, tbl.All(index), n)...); !slices.Equal(got, want) {
				t.Errorf("by %s, %d each: got %d records, want %d", index, n, len(got), len(want))
			}
		}
	}
}

// What is wrong with a call is told before Redis is asked.
func TestR6_WhatIsNoPageIsRefused(t *testing.T) {
	t.Parallel()
	rdb, sent := counted(t)
	tbl, other := openOn(t, rdb, redistest.Prefix(t)+"-a"), openOn(t, rdb, redistest.Prefix(t)+"-b")
	put(t, tbl, numbered(0, 9)...)
	put(t, other, numbered(0, 9)...)
	s := tbl.Range("at", 0, 80)
	_, token, err := tbl.Page(t.Context(), s, "", 3)
	ok(t, err)
	_, foreign, err := other.Page(t.Context(), s, "", 3)
	ok(t, err)
	twice := table.Spec[item]{Index: "at", Intervals: []table.Interval{table.Only(1), {GE: 0, LT: 9}}}
	before := sent.n.Load()
	for what, call := range map[string]struct {
		spec  table.Spec[item]
		after table.Token
		n     int
		want  error
	}{
		"no records":           {s, "", 0, table.ErrInvalidSpec},
		"fewer":                {s, "", -1, table.ErrInvalidSpec},
		"a limit":              {s.Max(5), "", 3, table.ErrInvalidSpec},
		"a negative limit":     {s.Max(-5), "", 3, table.ErrInvalidSpec},
		"no such index":        {tbl.All("none"), "", 3, table.ErrUnknownIndex},
		"overlapping":          {twice, "", 3, table.ErrInvalidSpec},
		"another index":        {tbl.Range("rank", 0, 80), token, 3, table.ErrInvalidSpec},
		"other intervals":      {tbl.Range("at", 0, 81), token, 3, table.ErrInvalidSpec},
		"another direction":    {s.Reversed(), token, 3, table.ErrInvalidSpec},
		"another table":        {s, foreign, 3, table.ErrInvalidSpec},
		"a damaged token":      {s, token[1:], 3, table.ErrInvalidSpec},
		"no token at all":      {s, "next", 3, table.ErrInvalidSpec},
		"a token with a break": {s, token[:5] + "\n" + token[5:], 3, table.ErrInvalidSpec},
	} {
		records, next, err := tbl.Page(t.Context(), call.spec, call.after, call.n)
		if !errors.Is(err, call.want) || records != nil || next != "" {
			t.Errorf("%s: got %d records, %q, %v", what, len(records), next, err)
		}
	}
	if n := sent.n.Load() - before; n != 0 {
		t.Errorf("%d commands were sent", n)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, spec := range []table.Spec[item]{s, {Index: "at"}} {
		if _, _, err := tbl.Page(ended, spec, "", 3); !errors.Is(err, context.Canceled) {
			t.Errorf("a context that has ended: got %v", err)
		}
	}
}

// A predicate is no part of the spec that a token is for.
func TestR6_APredicateMayChangeBetweenPages(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 9)...)
	records, next, err := tbl.Page(t.Context(), tbl.All("at").Where(func(i *item) bool { return i.ID%2 == 0 }), "", 2)
	ok(t, err)
	more, _, err := tbl.Page(t.Context(), tbl.All("at"), next, 2)
	ok(t, err)
	if got := keysOf(append(records, more...)); !slices.Equal(got, []int64{0, 2, 3, 4}) {
		t.Errorf("got %v", got)
	}
}

// A page with a predicate that nothing passes looks at some rows and no more; the pages come to an end all the same.
func TestR6_APredicateMakesPagesShortAndNotEndless(t *testing.T) {
	t.Parallel()
	rdb, hook := hooked(t)
	tbl := openOn(t, rdb, redistest.Prefix(t))
	put(t, tbl, numbered(0, 30_000)...)
	judged := 0
	last := tbl.All("at").Where(func(i *item) bool { judged++; return i.ID == 29_999 })
	for _, n := range []int{1, 500} {
		var found []int64
		pages, after := 0, table.Token("")
		for {
			hook.hold(nil, nil)
			judged = 0
			records, next, err := tbl.Page(t.Context(), last, after, n)
			ok(t, err)
			found, pages = append(found, keysOf(records)...), pages+1
			if answers := hook.answers(); judged > 25_000 || answers > 21 {
				t.Errorf("by %d: page %d judged %d rows in %d answers", n, pages, judged, answers)
			}
			if next == "" {
				break
			}
			after = next
		}
		if !slices.Equal(found, []int64{29_999}) || pages < 2 || pages > 6 {
			t.Errorf("by %d: found %v on %d pages", n, found, pages)
		}
	}
}

// A record that cannot be decoded ends its page with an error; the page has what came before it, and the token goes on behind it.
func TestR6_APageGoesOnBehindADamagedRecord(t *testing.T) {
	t.Parallel()
	rdb := redistest.Shared(t).Client(t)
	tbl := openOn(t, rdb, redistest.Prefix(t))
	put(t, tbl, numbered(0, 5)...)
	breakRow(t, rdb, tbl, "\x00\x00\x00\x00canary")
	s := tbl.All("at")
	records, next, err := tbl.Page(t.Context(), s, "", 4)
	wantCodingError(t, tbl, err, "id")
	if got := keysOf(records); !slices.Equal(got, []int64{0, 1}) {
		t.Errorf("before it: got %v", got)
	}
	records, next, err = tbl.Page(t.Context(), s, next, 4)
	ok(t, err)
	if got := keysOf(records); !slices.Equal(got, []int64{3, 4}) || next != "" {
		t.Errorf("behind it: got %v, %q", got, next)
	}
	records, next, err = tbl.Page(t.Context(), tbl.Range("at", 10, 30), "", 4)
	wantCodingError(t, tbl, err, "id")
	if got := keysOf(records); !slices.Equal(got, []int64{1}) || next != "" {
		t.Errorf("at the end: got %v, %q", got, next)
	}
	records, _, err = tbl.Page(t.Context(), s, "", 2) // it is looked at, but belongs to the next page
	ok(t, err)
	if got := keysOf(records); !slices.Equal(got, []int64{0, 1}) {
		t.Errorf("the page before it: got %v", got)
	}
	panics := tbl.All("at").Where(func(i *item) bool { return i.ID < 1 || i.Tags[7] == "" })
	records, next, err = tbl.Page(t.Context(), panics, "", 4)
	if !errors.Is(err, table.ErrPanic) || len(records) != 1 || next == "" {
		t.Errorf("a predicate that panics: got %d records, %q, %v", len(records), next, err)
	}
}

// Tokens are of the table, not of a handle, an epoch or a data set.
func TestR6_TokensOutliveTakeoversAndResets(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	first := openOn(t, rdb, name)
	put(t, first, numbered(0, 9)...)
	_, token, err := first.Page(t.Context(), first.All("rank"), "", 4) // 0, 3, 6, and 1
	ok(t, err)
	second := openOn(t, rdb, name)
	if got := pageBehind(t, second, token); !slices.Equal(got, []int64{4, 7, 2}) {
		t.Errorf("after a takeover: got %v", got)
	}
	if _, _, err := first.Page(t.Context(), first.All("rank"), token, 3); !errors.Is(err, table.ErrFenced) {
		t.Errorf("on the handle of the owner before: got %v", err)
	}
	third := openOn(t, rdb, name, table.WithReset())
	if got := pageBehind(t, third, token); len(got) != 0 {
		t.Errorf("after a reset: got %v", got)
	}
	put(t, third, numbered(2, 9)...)
	if got := pageBehind(t, third, token); !slices.Equal(got, []int64{4, 7, 2}) {
		t.Errorf("loaded again: got %v", got)
	}
	ok(t, third.Clear(t.Context()))
	if got := pageBehind(t, third, token); len(got) != 0 {
		t.Errorf("cleared: got %v", got)
	}
}

func pageBehind(t testing.TB, tbl *items, after table.Token) []int64 {
	t.Helper()
	records, _, err := tbl.Page(t.Context(), tbl.All("rank"), after, 3)
	ok(t, err)
	return keysOf(records)
}
