package table_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// byBothWays runs a test on a table with write-through whose writes go by transactions, and on one whose writes go by scripts.
func byBothWays(t *testing.T, test func(t *testing.T, tbl *items, rdb *redis.Client)) {
	t.Parallel()
	for what, pool := range map[string]int{"transactions": 10, "scripts": 1} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := redistest.Start(t, redistest.Options{})
			rdb := s.TCPClient(t, func(o *redis.Options) { o.PoolSize = pool })
			tbl := openOn(t, rdb, "t", table.WithWriteThrough())
			put(t, tbl, numbered(0, 10)...)
			took(t, rdb)
			test(t, tbl, rdb)
			switch p := took(t, rdb); {
			case what == "scripts" && p.transaction > 0, what == "transactions" && p.transaction == 0:
				t.Errorf("took %+v", p)
			}
		})
	}
}

// named returns items with these keys and a name of their own.
func named(name string, ids ...int64) (all []item) {
	for _, id := range ids {
		all = append(all, item{ID: id, Name: name, At: float64(10 * id), Rank: float64(id % 3)})
	}
	return all
}

// wantNames checks which records there are, and their names: "0:a 1:b".
func wantNames(t testing.TB, tbl *items, want string) {
	t.Helper()
	var got string
	for _, i := range all(t, tbl.Records(t.Context(), tbl.All("at"))) {
		got += fmt.Sprintf(" %d:%s", i.ID, i.Name)
	}
	if got != want && got != " "+want {
		t.Errorf("got%s, want %s", got, want)
	}
}

func deleteThrough(t testing.TB, tbl *items, want int, ids ...int64) {
	t.Helper()
	n, err := tbl.DeleteKeys(t.Context(), ids...)
	ok(t, err)
	if n != want {
		t.Errorf("deleted %d of %v, want %d", n, ids, want)
	}
}

// Put, Apply, Update and DeleteKeys change at once what readers see, and win over what was staged before and what is staged after.
func TestW1_WhatIsWrittenThroughIsSeenAndStays(t *testing.T) {
	byBothWays(t, func(t *testing.T, tbl *items, rdb *redis.Client) {
		ok(t, tbl.Clear(t.Context()))
		put(t, tbl, named("old", 0, 1, 2, 3)...)
		ok(t, tbl.ScratchPut(t.Context(), named("staged", 0, 1, 2, 3, 4, 5, 6)...))
		put(t, tbl, named("put", 0)...)
		deleteThrough(t, tbl, 1, 1, 4, 77) // 4 is staged alone: readers do not see it
		ok(t, tbl.Apply(t.Context(), batch{Put: named("applied", 2, 7), Delete: []int64{5, 78}, Note: []byte("n")}))
		ok(t, tbl.Update(t.Context(), 3, func(i *item) error { i.Name += " updated"; return nil }))
		if err := tbl.Update(t.Context(), 6, renamed("none")); !errors.Is(err, table.ErrNotFound) {
			t.Errorf("an update of what is only staged: %v", err)
		}
		wantNames(t, tbl, "0:put 2:applied 3:old updated 7:applied")
		if s := stats(t, tbl); s.State != table.StateActive || s.Staged != 1 || s.Records != 4 {
			t.Errorf("%+v", s)
		}
		ok(t, tbl.ScratchPut(t.Context(), named("late", 0, 1, 2, 3, 4, 5, 7, 78, 8)...))
		wantDiscarded(t, tbl, tbl.Range("at", 0, 1000), 2) // 6 and 8
		ok(t, tbl.ScratchPut(t.Context(), named("late", 8)...))
		mergeAndFold(t, tbl)
		wantNames(t, tbl, "0:put 2:applied 3:old updated 7:applied 8:late")
		wantProblems(t, tbl)
		ok(t, tbl.ScratchPut(t.Context(), named("next", 0, 1)...)) // the next session has its own
		mergeAndFold(t, tbl)
		wantNames(t, tbl, "0:next 1:next 2:applied 3:old updated 7:applied 8:late")
	})
}

// What is staged goes in small parts, so that a Put waits for no more than one of these.
func TestW1_RecordsAreStagedInSmallParts(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	tbl := openItems(t, table.WithWriteThrough())
	before := stats(t, tbl).FeedEntries
	ok(t, tbl.ScratchPut(ctx, numbered(0, 600)...))
	if got := stats(t, tbl).FeedEntries - before; got != 3 {
		t.Errorf("600 records were staged in %d effects, not 3", got)
	}
	put(t, tbl, numbered(0, 600)...)
	if s := stats(t, tbl); s.Records != 600 || s.Staged != 0 {
		t.Errorf("%+v", s)
	}
}

// What was put before the session began is not protected from it.
func TestW1_WhatWasPutBeforeTheSessionIsNotRemembered(t *testing.T) {
	t.Parallel()
	tbl := openItems(t, table.WithWriteThrough())
	put(t, tbl, named("before", 1)...)
	ok(t, tbl.ScratchPut(t.Context(), named("staged", 1)...))
	mergeAndFold(t, tbl)
	wantNames(t, tbl, "1:staged")
}

// Without the option all of them wait (D2).
func TestW1_WithoutTheOptionTheyWait(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 3)...)
	ok(t, tbl.ScratchPut(t.Context(), numbered(0, 9)...))
	for what, do := range map[string]func(context.Context) error{
		"put":    func(ctx context.Context) error { return tbl.Put(ctx, numbered(0, 1)...) },
		"apply":  func(ctx context.Context) error { return tbl.Apply(ctx, batch{Delete: []int64{1}}) },
		"update": func(ctx context.Context) error { return tbl.Update(ctx, 1, renamed("x")) },
		"delete": func(ctx context.Context) error { _, err := tbl.DeleteKeys(ctx, 1); return err },
	} {
		wantWaits(t, what, table.WaitScratch, do)
	}
}

// wantWaits makes a call that must wait for something.
func wantWaits(t testing.TB, what string, why table.WaitFor, do func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	err := do(ctx)
	var w *table.WaitError
	if !errors.As(err, &w) || w.For != why || errors.Is(err, table.ErrUnknownOutcome) {
		t.Errorf("%s: got %v, want that it waits for %s", what, err, why)
	}
}

// Delete and DeleteSeq wait for the end of the session and for the fold, and hold up nobody behind them.
func TestW1_SweepsWaitAndNobodyBehindThem(t *testing.T) {
	t.Parallel()
	tbl, brake := openBraked(t, table.WithWriteThrough(), table.WithMailbox(1))
	put(t, tbl, numbered(0, 5)...)
	ok(t, tbl.ScratchPut(t.Context(), numbered(5, 7)...))
	sweep := func(ctx context.Context) error { _, err := tbl.Delete(ctx, tbl.Range("at", 0, 25)); return err }
	wantWaits(t, "delete", table.WaitScratch, sweep)
	var waiting []<-chan error
	for range 4 {
		waiting = append(waiting, async(t, func() error { return sweep(t.Context()) }))
	}
	put(t, tbl, numbered(7, 8)...)
	deleteThrough(t, tbl, 1, 1)
	merge(t, tbl)
	wantWaits(t, "delete", table.WaitFold, sweep)
	wantWaits(t, "put", table.WaitFold, func(ctx context.Context) error { return tbl.Put(ctx, numbered(8, 9)...) })
	brake.release()
	for _, done := range waiting {
		ok(t, receive(t, "a delete", done))
	}
	wantIDs(t, tbl, tbl.All("at"), 3, 4, 5, 6, 7)
}

// A sweep that is under way when a session begins goes on after it. Its effects are in the mailbox of sweeps, and Puts go past them.
func TestW1_ASweepUnderWayWaitsForASessionThatBegins(t *testing.T) {
	t.Parallel()
	tbl := openItems(t, table.WithWriteThrough())
	put(t, tbl, numbered(0, 1500)...)
	var merged <-chan error
	n, begun := 0, false
	for _, err := range tbl.DeleteSeq(t.Context(), tbl.All("at")) {
		ok(t, err)
		if n++; !begun {
			begun = true
			ok(t, tbl.ScratchPut(t.Context(), item{ID: 5000}))
			put(t, tbl, item{ID: 1400, Name: "again", At: -1}, item{ID: 5001, At: 1e6})
			merged = async(t, func() error {
				until(t, "the sweep to wait", func() bool { return stats(t, tbl).Mailbox == 1 })
				return tbl.ScratchMerge(context.Background())
			})
		}
	}
	ok(t, receive(t, "the merge", merged))
	wantIDs(t, tbl, tbl.Range("at", 0, 1), 5000)
	wantIDs(t, tbl, tbl.Range("at", -5, -0.5), 1400)
	if n < 1499 {
		t.Errorf("%d were deleted", n)
	}
}

// All that was staged is written through: the session is still on, and a merge or an abort ends it.
func TestW1_NothingStagedIsLeft(t *testing.T) {
	byBothWays(t, func(t *testing.T, tbl *items, rdb *redis.Client) {
		for _, end := range []func(context.Context) error{tbl.ScratchMerge, tbl.ScratchAbort, tbl.Clear} {
			ok(t, tbl.ScratchPut(t.Context(), named("staged", 1, 2, 50)...))
			_, err := tbl.ScratchDiscard(t.Context(), tbl.Range("at", 30, 40))
			ok(t, err)
			put(t, tbl, named("put", 1, 2, 3)...)
			deleteThrough(t, tbl, 0, 50)
			if s := stats(t, tbl); s.State != table.StateActive || s.Staged != 0 {
				t.Errorf("%+v", s)
			}
			wantProblems(t, tbl)
			wantDiscarded(t, tbl, tbl.Range("at", 10, 30), 0)
			ok(t, tbl.ScratchPut(t.Context(), named("staged", 1, 50)...))
			ok(t, end(t.Context()))
			ok(t, tbl.WaitClear(t.Context()))
			wantProblems(t, tbl)
			put(t, tbl, named("put", 1, 2, 3)...)
		}
		wantNames(t, tbl, "1:put 2:put 3:put")
	})
}

// What was written through is neither counted nor yielded as discarded, whatever the limit, and stays.
func TestW1_ADiscardPassesOverWhatWasWrittenThrough(t *testing.T) {
	byBothWays(t, func(t *testing.T, tbl *items, rdb *redis.Client) {
		ok(t, tbl.Clear(t.Context()))
		put(t, tbl, numbered(0, 3000)...)
		ok(t, tbl.ScratchPut(t.Context(), item{ID: 9000, At: 1e6}))
		var through []item
		for i := range 3000 {
			if i%3 != 0 {
				through = append(through, numbered(i, i+1)...)
			}
		}
		put(t, tbl, through...)
		seen := func(s table.Spec[item]) (ids []int64) {
			for i, err := range tbl.ScratchDiscardSeq(t.Context(), s) {
				ok(t, err)
				ids = append(ids, i.ID)
			}
			return ids
		}
		if got := seen(tbl.Range("at", 0, 200).Max(3)); !slices.Equal(got, []int64{0, 3, 6}) {
			t.Errorf("discarded %v", got)
		}
		if got := seen(tbl.All("at").Max(500)); len(got) != 500 || got[0] != 9 || got[499] != 1506 {
			t.Errorf("discarded %d", len(got))
		}
		if got := seen(tbl.All("at").Reversed()); len(got) != 1000-503+1 || got[0] != 9000 {
			t.Errorf("discarded %d", len(got))
		}
		mergeAndFold(t, tbl)
		if n, err := tbl.Count(t.Context(), tbl.All("at")); n != 2000 || err != nil {
			t.Errorf("%d records are left, %v", n, err)
		}
	})
}

// An abort drops what is staged, a crash too, and what was written through stays.
func TestW1_WhatWasWrittenThroughOutlivesTheSession(t *testing.T) {
	t.Parallel()
	for what, end := range map[string]func(*testing.T, *redis.Client, *items) *items{
		"abort": func(t *testing.T, _ *redis.Client, tbl *items) *items {
			ok(t, tbl.ScratchAbort(t.Context()))
			return tbl
		},
		"crash": func(t *testing.T, rdb *redis.Client, tbl *items) *items { return openOn(t, rdb, tbl.Name()) },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
			tbl := openOn(t, rdb, name, table.WithWriteThrough())
			put(t, tbl, named("old", 1, 2, 3)...)
			ok(t, tbl.ScratchPut(t.Context(), named("staged", 1, 2, 3, 4)...))
			put(t, tbl, named("put", 1)...)
			deleteThrough(t, tbl, 1, 2, 4)
			tbl = end(t, rdb, tbl)
			wantNames(t, tbl, "1:put 3:old")
			if s := stats(t, tbl); s.State != table.StateClear || s.Staged != 0 {
				t.Errorf("%+v", s)
			}
			put(t, tbl, named("put", 5)...)
		})
	}
}

// A long read shows one moment, though others write through: they wait for it as in the clear state.
func TestW1_ALongReadIsOfOneMoment(t *testing.T) {
	t.Parallel()
	tbl := openItems(t, table.WithWriteThrough(), table.WithPageBytes(500))
	put(t, tbl, numbered(0, 500)...)
	ok(t, tbl.ScratchPut(t.Context(), numbered(400, 600)...))
	var done <-chan error
	n := 0
	for i, err := range tbl.Records(t.Context(), tbl.All("at")) {
		ok(t, err)
		if n++; n == 10 {
			done = async(t, func() error { return tbl.Put(t.Context(), named("new", 450, 451)...) })
		}
		if i.Name == "new" {
			t.Fatalf("read %+v", i)
		}
	}
	ok(t, receive(t, "the put", done))
	if n != 500 {
		t.Errorf("read %d", n)
	}
	mergeAndFold(t, tbl)
	wantIDs(t, tbl, tbl.All("at").Where(func(i *item) bool { return i.Name == "new" }), 450, 451)
}

// An effect that starts from the clear state is refused in any other, by transaction and by script: it knows nothing of what is staged.
func TestW1_AnEffectRunsInTheStateThatItStartsFrom(t *testing.T) {
	t.Parallel()
	for what, do := range map[string]func(context.Context, *items) error{
		"put":    func(ctx context.Context, tbl *items) error { return tbl.Put(ctx, numbered(0, 1)...) },
		"apply":  func(ctx context.Context, tbl *items) error { return tbl.Apply(ctx, batch{Put: numbered(0, 1)}) },
		"delete": func(ctx context.Context, tbl *items) error { _, err := tbl.DeleteKeys(ctx, 1); return err },
		"update": func(ctx context.Context, tbl *items) error { return tbl.Update(ctx, 1, renamed("x")) },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
			tbl := openOn(t, rdb, name, table.WithWriteThrough())
			put(t, tbl, numbered(0, 5)...)
			put(t, tbl, numbered(0, 5)...)
			ok(t, rdb.HSet(t.Context(), name+":m", "state", "active").Err())
			before := dump(t, rdb, name)
			if err := do(t.Context(), tbl); !errors.Is(err, table.ErrLost) {
				t.Errorf("got %v", err)
			}
			wantUntouched(t, rdb, name, before)
			ok(t, rdb.HSet(t.Context(), name+":m", "state", "clear").Err())
		})
	}
}
