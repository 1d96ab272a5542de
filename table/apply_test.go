package table_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// Each batch puts ten records in place of ten others, and notes its number: all readers see ten records of one batch, and a note that is
// no older than these.
func TestW3_ABatchIsSeenWhole(t *testing.T) {
	t.Parallel()
	const batches, size = 200, 10
	tbl := openItems(t)
	rd := openReader(t, redistest.Shared(t).Client(t), tbl.Name())
	nth := func(n int) (b batch) {
		for i := range size {
			b.Put = append(b.Put, item{ID: int64(n%2*size + i), At: float64(n)})
			b.Delete = append(b.Delete, int64((n+1)%2*size+i))
		}
		b.Note = []byte(strconv.Itoa(n))
		return b
	}
	ok(t, tbl.Apply(t.Context(), nth(0)))
	done := async(t, func() error {
		for n := range batches {
			if err := tbl.Apply(t.Context(), nth(n+1)); err != nil {
				return err
			}
		}
		return nil
	})
	for last := 0; last < batches; {
		for _, h := range []noting{tbl, rd} {
			found := all(t, h.Records(t.Context(), h.All("at")))
			if len(found) != size || slices.ContainsFunc(found, func(i item) bool { return i.At != found[0].At }) {
				t.Fatalf("a mix of batches: %v", found)
			}
			note, err := h.Note(t.Context())
			ok(t, err)
			if last, err = strconv.Atoi(string(note)); err != nil || last < int(found[0].At) {
				t.Fatalf("note %q after records of %v, %v", note, found[0].At, err)
			}
		}
	}
	ok(t, receive(t, "the batches", done))
}

// noting is a handle with a note.
type noting interface {
	table.Reading[item]
	Note(ctx context.Context) ([]byte, error)
}

// The note is nil until there is one; a note of no bytes is one; nil leaves it as it is; merges, aborts and take-overs keep it;
// Clear and a reset drop it. A Reader sees the same.
func TestW3_TheNoteStaysUntilItIsDropped(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl := openOn(t, rdb, name)
	rd := openReader(t, rdb, name)
	is := func(want []byte) {
		t.Helper()
		for _, h := range []noting{tbl, rd} {
			got, err := h.Note(t.Context())
			ok(t, err)
			wantNote(t, got, want)
		}
	}
	note := func(b []byte) { t.Helper(); ok(t, tbl.Apply(t.Context(), batch{Note: b})) }
	is(nil)
	note([]byte{})
	is([]byte{})
	note([]byte("one"))
	is([]byte("one"))
	ok(t, tbl.Apply(t.Context(), batch{Put: numbered(0, 3)}))
	put(t, tbl, numbered(3, 5)...)
	is([]byte("one"))
	ok(t, tbl.ScratchPut(t.Context(), numbered(5, 8)...))
	ok(t, tbl.ScratchAbort(t.Context()))
	ok(t, tbl.ScratchPut(t.Context(), numbered(5, 8)...))
	mergeAndFold(t, tbl)
	is([]byte("one"))
	ok(t, tbl.Clear(t.Context()))
	is(nil)
	note(make([]byte, 64<<10))
	is(make([]byte, 64<<10))
	ok(t, tbl.Close())
	tbl = openOn(t, rdb, name)
	is(make([]byte, 64<<10))
	ok(t, tbl.Close())
	tbl = openOn(t, rdb, name, table.WithReset())
	is(nil)
}

// A note alone is no new version of what readers see, and each change of it is counted.
func TestW3_ANoteAloneChangesNothingThatReadersSee(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl := openOn(t, rdb, name)
	counts := func() []any { return rdb.HMGet(t.Context(), name+":m", "rver", "notes").Val() }
	for i, c := range []struct {
		b    batch
		want string
	}{
		{batch{Note: []byte("a")}, "[0 1]"},
		{batch{Put: numbered(0, 2)}, "[1 1]"},
		{batch{Note: []byte("a")}, "[1 2]"},
		{batch{Delete: []int64{77}, Note: []byte{}}, "[2 3]"},
		{batch{}, "[2 3]"},
	} {
		ok(t, tbl.Apply(t.Context(), c.b))
		if got := fmt.Sprint(counts()); got != c.want {
			t.Errorf("batch %d: rver and notes are %s, want %s", i, got, c.want)
		}
	}
	ok(t, tbl.Clear(t.Context()))
	if got := fmt.Sprint(counts()); got != "[3 4]" {
		t.Errorf("after Clear rver and notes are %s", got)
	}
}

// What is wrong with a batch is found before anything is sent.
func TestW3_BatchesThatAreRefused(t *testing.T) {
	t.Parallel()
	rdb, sent := counted(t)
	tbl := openOn(t, rdb, redistest.Prefix(t))
	put(t, tbl, numbered(0, 3)...)
	many := make([]int64, 600)
	for i := range many {
		many[i] = int64(1000 + i)
	}
	before := sent.n.Load()
	for what, c := range map[string]struct {
		b    batch
		want error
		text string
	}{
		"a key in both":    {batch{Put: numbered(0, 2), Delete: []int64{1}}, table.ErrInvalidSpec, tbl.KeyHash(1)},
		"too many changes": {batch{Put: numbered(0, 401), Delete: many}, table.ErrTooLarge, "1001 changes in one batch, at most 1000"},
		"too long a note":  {batch{Note: make([]byte, 64<<10+1)}, table.ErrTooLarge, "a note of 65537 bytes, at most 65536"},
	} {
		err := tbl.Apply(t.Context(), c.b)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: got %v", what, err)
		}
		saysOnce(t, what, tbl.Name(), err)
	}
	if n := sent.n.Load(); n != before {
		t.Errorf("%d commands were sent", n-before)
	}
	ok(t, tbl.Apply(t.Context(), batch{Put: append(numbered(0, 400), numbered(0, 400)...), Delete: append(many, many...)}))
	wantIDs(t, tbl, tbl.All("at").Max(3), 0, 1, 2)
}

// In one batch the last record of a key wins, keys that are not there are passed over, and counts are right afterwards: by script
// and by transaction.
func TestW3_WhatABatchLeavesBehind(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	for range 3 {
		ok(t, tbl.Apply(t.Context(), batch{Put: append(numbered(0, 5), item{ID: 2, Name: "last", At: 99}), Delete: []int64{8, 8, 9}}))
		ok(t, tbl.Apply(t.Context(), batch{Delete: []int64{0, 77, 1}}))
		wantIDs(t, tbl, tbl.All("at"), 3, 4, 2)
		got, err := tbl.Get(t.Context(), 2)
		ok(t, err)
		if got.Name != "last" {
			t.Errorf("got %+v", got)
		}
	}
	wantProblems(t, tbl)
}

// What a batch needs room for is refused whole; a batch larger than the feed tells is applied all the same.
func TestW3_ALargeBatchIsToldWithoutItsBody(t *testing.T) {
	t.Parallel()
	f := newFed(t)
	b := batch{Put: []item{{ID: 1, Name: strings.Repeat("x", 1<<20)}}, Note: []byte("n")}
	ok(t, f.table.Apply(t.Context(), b))
	ok(t, f.table.Apply(t.Context(), b))
	ok(t, f.table.Apply(t.Context(), batch{Note: []byte("m"), Delete: []int64{4}}))
	entries := f.read()
	if len(entries) != 4 || entries[1].IsTold() || entries[2].IsTold() || !entries[3].IsTold() {
		t.Fatalf("%d entries: %v", len(entries), entries)
	}
	if entries[1].Note != nil || string(entries[3].Note) != "m" {
		t.Errorf("notes %q and %q", entries[1].Note, entries[3].Note)
	}
}

// A follower is told the note when a copy begins, and of each change of it.
func TestF3_AFollowerHasTheNote(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	ok(t, tbl.Apply(t.Context(), batch{Put: numbered(0, 5), Note: []byte("first")}))
	c := newTwin()
	follow(t, redistest.Shared(t).Client(t), tbl.Name(), c)
	want := make(map[table.Position][]byte)
	note := func(n []byte) { want[tbl.Position()] = n; c.untilAt(t, tbl.Position()) }
	note([]byte("first"))
	ok(t, tbl.Apply(t.Context(), batch{Delete: []int64{1, 77}}))
	note([]byte("first"))
	ok(t, tbl.Apply(t.Context(), batch{Note: []byte{}}))
	note([]byte{})
	ok(t, tbl.Apply(t.Context(), batch{Put: numbered(7, 9), Note: []byte("both")}))
	note([]byte("both"))
	put(t, tbl, numbered(0, 1)...)
	note([]byte("both"))
	ok(t, tbl.Clear(t.Context()))
	note(nil)
	c.mu.Lock()
	defer c.mu.Unlock()
	for p, n := range want {
		wantNote(t, c.notes[p], n)
	}
	if c.noted != 4 {
		t.Errorf("the note was told %d times", c.noted)
	}
}
