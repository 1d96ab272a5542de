package table_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// later returns a position so many effects behind another one.
func later(t testing.TB, p table.Position, n int) table.Position {
	t.Helper()
	epoch, number, _ := strings.Cut(p.String(), "/")
	seq, err := strconv.Atoi(number)
	ok(t, err)
	q, err := table.ParsePosition(fmt.Sprintf("%s/%d", epoch, seq+n))
	ok(t, err)
	return q
}

// Whatever one handle has done is shown by another one that has waited for its position.
func TestR5_WhatWasDoneIsShownAfterWaitFor(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	r := readerOf(t, tbl.Name())
	for n := range 100 {
		put(t, tbl, numbered(n, n+1)...)
		p, err := table.ParsePosition(tbl.Position().String())
		ok(t, err)
		ok(t, r.WaitFor(t.Context(), p))
		if _, err := r.Get(t.Context(), int64(n)); err != nil {
			t.Fatal(err)
		}
		if r.Position() != p {
			t.Fatalf("got %v, want %v", r.Position(), p)
		}
	}
	ok(t, tbl.WaitFor(t.Context(), r.Position()))
}

// Handles that show the same moment have the same position.
func TestR5_HandlesOfOneMomentHaveEqualPositions(t *testing.T) {
	t.Parallel()
	tbl, b := openBraked(t)
	put(t, tbl, numbered(0, 5)...)
	x, y := readerOf(t, tbl.Name()), readerOf(t, tbl.Name())
	for what, change := range map[string]func() error{
		"put":   func() error { return tbl.Put(t.Context(), numbered(3, 8)...) },
		"stage": func() error { return tbl.ScratchPut(t.Context(), numbered(5, 9)...) },
		"abort": func() error { return tbl.ScratchAbort(t.Context()) },
		"clear": func() error { return tbl.Clear(t.Context()) },
	} {
		if what == "put" || what == "clear" {
			ok(t, tbl.ScratchAbort(t.Context()))
		}
		ok(t, change())
		for call, run := range readerVerbs {
			for _, r := range []*itemReader{x, y} {
				if err := run(t.Context(), r); err != nil && !errors.Is(err, table.ErrNotFound) {
					t.Errorf("%s: %v", call, err)
				}
				if r.Position() != tbl.Position() {
					t.Errorf("%s after %s: %v, want %v", call, what, r.Position(), tbl.Position())
				}
			}
		}
	}
	b.release()
	if x.Position().IsZero() {
		t.Error("the position is zero")
	}
	ok(t, x.WaitFor(t.Context(), table.Position{}))
}

// What has not happened yet is waited for, until the context ends.
func TestR5_WaitForWaits(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl := openOn(t, rdb, name)
	r := readerOf(t, name)
	next := later(t, tbl.Position(), 1)
	for _, h := range []table.Reading[item]{r, tbl} {
		short, cancel := context.WithCancel(t.Context())
		waiting := async(t, func() error { return h.WaitFor(short, next) })
		cancel()
		if err := receive(t, "a call that waits", waiting); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want the context's error", err)
		}
	}
	var waits []<-chan error
	for _, h := range []table.Reading[item]{r, tbl} {
		waits = append(waits, async(t, func() error { return h.WaitFor(t.Context(), next) }))
	}
	put(t, tbl, numbered(0, 1)...)
	for _, w := range waits {
		ok(t, receive(t, "a call that waits", w))
	}
	// A later owner, whose epoch is not known yet.
	to, err := table.ParsePosition("2:" + strings.Repeat("0", 16) + "/0")
	ok(t, err)
	waiting := async(t, func() error { return r.WaitFor(t.Context(), to) })
	second := openOn(t, rdb, name)
	if err := receive(t, "a call that waits", waiting); !errors.Is(err, table.ErrLost) {
		t.Errorf("got %v, want ErrLost: the second owner is another one", err)
	}
	ok(t, r.WaitFor(t.Context(), second.Position()))
	ok(t, r.WaitFor(t.Context(), next)) // of the owner before
	if err := tbl.WaitFor(t.Context(), next); !errors.Is(err, table.ErrFenced) {
		t.Errorf("got %v, want ErrFenced", err)
	}
	for _, off := range []table.Position{later(t, next, 1), to} {
		for _, h := range []table.Reading[item]{r, second} {
			if err := h.WaitFor(t.Context(), off); !errors.Is(err, table.ErrLost) {
				t.Errorf("%v: got %v, want ErrLost", off, err)
			}
		}
	}
	put(t, second, numbered(0, 2)...)
	wantItems(t, all(t, r.Records(t.Context(), r.All("at"))), numbered(0, 2)) // neither handle has ended
}

// A session has a beginning.
func TestStatsTellSinceWhenASessionIsOn(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	if st := stats(t, tbl); !st.ScratchSince.IsZero() || st.Position != tbl.Position() || st.FeedEntries != 1 {
		t.Errorf("got %+v", st)
	}
	ok(t, tbl.ScratchPut(t.Context(), numbered(0, 5)...))
	since := stats(t, tbl).ScratchSince
	ok(t, tbl.ScratchPut(t.Context(), numbered(0, 5)...))
	if st := stats(t, tbl); since.IsZero() || !st.ScratchSince.Equal(since) {
		t.Errorf("since %v, then %v", since, st.ScratchSince)
	}
	ok(t, tbl.ScratchAbort(t.Context()))
	if st := stats(t, tbl); !st.ScratchSince.IsZero() {
		t.Errorf("still since %v", st.ScratchSince)
	}
}
