package table_test

import (
	"context"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/internal/walk"
	"github.com/tablecache-go/tablecache/table"
)

// Writes through beside a reload of everything.

func (h heldScratch) discardsAll(t testing.TB, tbl *items, want int) {
	t.Helper()
	n, err := h.Discard(t.Context(), tbl.All("at"))
	ok(t, err)
	if n != want {
		t.Errorf("discarded %d, want %d", n, want)
	}
}

// heldScratch is a session that has a holder.
type heldScratch struct{ *table.Scratch[item, int64] }

func scratchOf(t testing.TB, tbl *items) heldScratch {
	t.Helper()
	s, err := tbl.Scratch(t.Context())
	ok(t, err)
	return heldScratch{s}
}

// What is written through is seen at once, wins over what is staged before and after, is not discarded, and is there after the merge.
func TestW1_D12_WhatIsWrittenThroughStaysInAReloadOfEverything(t *testing.T) {
	byBothWays(t, func(t *testing.T, tbl *items, rdb *redis.Client) {
		ok(t, tbl.Clear(t.Context()))
		put(t, tbl, named("old", 0, 1, 2, 3, 4)...)
		wantDiscarded(t, tbl, tbl.All("at"), 5)
		ok(t, tbl.ScratchPut(t.Context(), named("staged", 0, 1, 2, 3, 5, 6)...))
		put(t, tbl, named("put", 0, 7)...)
		deleteThrough(t, tbl, 1, 1, 5, 77)
		ok(t, tbl.Apply(t.Context(), batch{Put: named("applied", 2), Delete: []int64{8}, Note: []byte("n")}))
		ok(t, tbl.Update(t.Context(), 3, func(i *item) error { i.Name += " updated"; return nil }))
		wantNames(t, tbl, "0:put 2:applied 3:old updated 4:old 7:put")
		wantWord(t, rdb, "t", "active-whole", 5)
		ok(t, tbl.ScratchPut(t.Context(), named("late", 0, 1, 2, 3, 5, 9)...))
		ok(t, walk.Check(t.Context(), rdb, "t", []string{"at", "rank"}))
		wantProblems(t, tbl)
		wantDiscarded(t, tbl, tbl.Range("at", 0, 85), 1) // 6
		wantDiscarded(t, tbl, tbl.All("at"), 1)          // 9
		deleteThrough(t, tbl, 1, 7)
		wantWord(t, rdb, "t", "active-whole", 3)
		ok(t, tbl.ScratchPut(t.Context(), named("new", 10)...))
		ok(t, tbl.ScratchMerge(t.Context()))
		wantNames(t, tbl, "0:put 2:applied 3:old updated 10:new")
		ok(t, tbl.WaitClear(t.Context()))
		wantNames(t, tbl, "0:put 2:applied 3:old updated 10:new")
		wantProblems(t, tbl)
		ok(t, tbl.ScratchPut(t.Context(), named("next", 0)...)) // another session
		mergeAndFold(t, tbl)
		wantNames(t, tbl, "0:next 2:applied 3:old updated 10:new")
	})
}

// What was written through and then deleted is not brought back by a discard of everything, which keeps what was written through.
func TestW1_D12_ADeletedRecordIsNotBroughtBack(t *testing.T) {
	byBothWays(t, func(t *testing.T, tbl *items, _ *redis.Client) {
		s := scratchOf(t, tbl)
		put(t, tbl, named("put", 1, 20, 21)...)
		deleteThrough(t, tbl, 1, 20)
		ok(t, tbl.Apply(t.Context(), batch{Delete: []int64{21}}))
		_, err := s.Discard(t.Context(), tbl.All("at"))
		ok(t, err)
		ok(t, s.Merge(t.Context(), nil))
		wantNames(t, tbl, "1:put")
		ok(t, tbl.WaitClear(t.Context()))
		wantNames(t, tbl, "1:put")
	})
}

// A session that has a holder is on before anything is staged. Plain discards of everything wait for its end.
func TestW1_W2_ASessionDiscardsEverythingInOneStep(t *testing.T) {
	byBothWays(t, func(t *testing.T, tbl *items, rdb *redis.Client) {
		s := scratchOf(t, tbl)
		put(t, tbl, named("put", 1, 20)...)
		deleteThrough(t, tbl, 1, 2)
		wantWaits(t, "discard", table.WaitScratch, func(ctx context.Context) error {
			_, err := tbl.ScratchDiscard(ctx, tbl.All("at"))
			return err
		})
		s.discardsAll(t, tbl, 8)
		wantWord(t, rdb, "t", "active-whole", 2)
		ok(t, s.Put(t.Context(), named("staged", 1, 2, 3)...))
		if n, err := s.Count(t.Context()); n != 3 || err != nil {
			t.Errorf("a merge would show %d, %v", n, err)
		}
		s.discardsAll(t, tbl, 1)
		ok(t, s.Put(t.Context(), named("staged", 4)...))
		ok(t, s.Merge(t.Context(), []byte("note")))
		ok(t, tbl.WaitClear(t.Context()))
		wantNames(t, tbl, "1:put 4:staged 20:put")
		if _, err := s.Discard(t.Context(), tbl.All("at")); err == nil {
			t.Error("a session that is over discards")
		}
	})
}

// In a session that has staged something everything is discarded page by page.
func TestW2_ASessionThatHasStagedDiscardsByPages(t *testing.T) {
	byBothWays(t, func(t *testing.T, tbl *items, rdb *redis.Client) {
		s := scratchOf(t, tbl)
		ok(t, s.Put(t.Context(), named("staged", 1, 20)...))
		put(t, tbl, named("put", 3)...)
		s.discardsAll(t, tbl, 10)
		wantWord(t, rdb, "t", "active", 10)
		ok(t, s.Merge(t.Context(), nil))
		ok(t, tbl.WaitClear(t.Context()))
		wantNames(t, tbl, "3:put")
	})
}

// What is too much to be taken along stays as well.
func TestW1_D12_MoreThanOneStepTakesAlong(t *testing.T) {
	byBothWays(t, func(t *testing.T, tbl *items, rdb *redis.Client) {
		ok(t, tbl.Clear(t.Context()))
		put(t, tbl, numbered(0, 1500)...)
		wantDiscarded(t, tbl, tbl.All("at"), 1500)
		put(t, tbl, numbered(0, 1000)...)
		wantDiscarded(t, tbl, tbl.All("at"), 0)
		wantWord(t, rdb, "t", "active-whole", 1000)
		put(t, tbl, numbered(1000, 1001)...)
		ok(t, tbl.ScratchPut(t.Context(), numbered(1400, 1410)...))
		wantDiscarded(t, tbl, tbl.All("at"), 10)
		mergeAndFold(t, tbl)
		if n, err := tbl.Count(t.Context(), tbl.All("at")); n != 1001 || err != nil {
			t.Errorf("%d records are left, %v", n, err)
		}
		wantProblems(t, tbl)
	})
}

// An abort and a crash drop the reload, not what was written through.
func TestW1_D12_WhatIsWrittenThroughOutlivesAReloadOfEverything(t *testing.T) {
	byBothWays(t, func(t *testing.T, tbl *items, rdb *redis.Client) {
		for _, end := range []func(){
			func() { ok(t, tbl.ScratchAbort(t.Context())) },
			func() { tbl = openOn(t, rdb, "t", table.WithWriteThrough()) },
		} {
			ok(t, tbl.Clear(t.Context()))
			put(t, tbl, named("old", 1, 2, 3)...)
			wantDiscarded(t, tbl, tbl.All("at"), 3)
			put(t, tbl, named("put", 1)...)
			put(t, tbl, named("put", 4)...)
			deleteThrough(t, tbl, 1, 2)
			end()
			wantNames(t, tbl, "1:put 3:old 4:put")
			wantWord(t, rdb, "t", "clear", 0)
		}
	})
}

// A follower learns what a discard of everything leaves, and one that comes later copies after the merge.
func TestW1_F4_FollowersKnowWhatADiscardOfEverythingLeaves(t *testing.T) {
	t.Parallel()
	for what, text := range map[string]string{"told": "short", "too large to be told": strings.Repeat("x", 300_000)} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
			tbl := openOn(t, rdb, name, table.WithWriteThrough(), table.WithFeed(400_000))
			put(t, tbl, numbered(0, 10)...)
			early, late, known := newTwin(), newTwin(), history{}
			follow(t, rdb, name, early)
			inStep := func(twins ...*twin) {
				known[tbl.Position()] = all(t, tbl.Records(t.Context(), tbl.All("at")))
				for _, c := range twins {
					c.untilAt(t, tbl.Position())
				}
			}
			inStep(early)
			s := scratchOf(t, tbl)
			put(t, tbl, named(text, 1)...)
			put(t, tbl, named(text, 20)...)
			inStep(early)
			s.discardsAll(t, tbl, 9)
			put(t, tbl, named("b", 2, 21)...)
			deleteThrough(t, tbl, 2, 20, 3)
			ok(t, s.Put(t.Context(), named("staged", 2, 20, 5)...))
			follow(t, rdb, name, late)
			inStep(early, late)
			ok(t, s.Merge(t.Context(), nil))
			inStep(early, late)
			wantIDs(t, tbl, tbl.All("at"), 1, 2, 5, 21)
			if known.compare(t, early) == 0 || known.compare(t, late) == 0 {
				t.Error("nothing was compared")
			}
			if what == "told" && early.copies != 1 {
				t.Errorf("copied %d times", early.copies)
			}
		})
	}
}
