package mirror_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/mirror"
	"github.com/tablecache-go/tablecache/table"
)

func TestM2_AMirrorShowsEachEffect(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 10)...)
	m := mirrorOf(t, tbl)
	if m.Position() != tbl.Position() {
		t.Errorf("at %v, the table at %v", m.Position(), tbl.Position())
	}
	ctx := t.Context()
	see := func(what string, want ...item) {
		t.Helper()
		catchUp(t, m, tbl)
		wantItems(t, what, all(t, m.Records(ctx, m.All("at"))), want)
		wantItems(t, what+" in the table", all(t, tbl.Records(ctx, tbl.All("at"))), want)
	}
	see("a copy", numbered(0, 10)...)
	put(t, tbl, numbered(10, 12)...)
	see("a put", numbered(0, 12)...)
	_, err := tbl.DeleteKeys(ctx, 0, 1, 99)
	ok(t, err)
	see("a delete", numbered(2, 12)...)
	ok(t, tbl.Apply(ctx, table.Batch[item, int64]{Put: numbered(12, 13), Delete: []int64{2, 77}, Note: []byte("noted")}))
	see("an apply", numbered(3, 13)...)
	note, err := m.Note(ctx)
	if ok(t, err); string(note) != "noted" {
		t.Errorf("note %q", note)
	}
	ok(t, tbl.ScratchPut(ctx, numbered(20, 25)...))
	_, err = tbl.ScratchDiscard(ctx, tbl.Range("at", 0, 60))
	ok(t, err)
	ok(t, tbl.ScratchPut(ctx, numbered(4, 5)...))
	see("a session", numbered(3, 13)...)
	ok(t, tbl.ScratchMerge(ctx))
	see("a merge", slices.Concat(numbered(4, 5), numbered(6, 13), numbered(20, 25))...)
	ok(t, tbl.WaitClear(ctx))
	ok(t, tbl.ScratchPut(ctx, numbered(50, 55)...))
	ok(t, tbl.ScratchAbort(ctx))
	put(t, tbl, numbered(5, 6)...)
	see("an abort", slices.Concat(numbered(4, 13), numbered(20, 25))...)
	ok(t, tbl.Clear(ctx))
	see("a clear")
	if note, err := m.Note(ctx); err != nil || note != nil {
		t.Errorf("note %q, %v", note, err)
	}
	if st := m.Stats(); st.Records != 0 || st.Bytes != 0 || st.Applied == 0 || st.Resyncs != 0 || st.Position != tbl.Position() {
		t.Errorf("got %+v", st)
	}
}

// What is written through is shown at once, and wins over what is staged for the same keys: before it, and after it.
func TestW1_WhatIsWrittenThroughStays(t *testing.T) {
	t.Parallel()
	ctx, tbl := t.Context(), openItems(t, table.WithWriteThrough())
	put(t, tbl, numbered(0, 10)...)
	m := mirrorOf(t, tbl)
	named := func(name string, ids ...int) (all []item) {
		for _, id := range ids {
			i := numbered(id, id+1)[0]
			i.Name = name
			all = append(all, i)
		}
		return all
	}
	session, err := tbl.Scratch(ctx)
	ok(t, err)
	put(t, tbl, named("first", 0)...)
	ok(t, session.Put(ctx, named("staged", 0, 1, 2, 3, 20, 21)...))
	put(t, tbl, named("through", 1, 30)...)
	_, err = tbl.DeleteKeys(ctx, 2, 20)
	ok(t, err)
	ok(t, tbl.Apply(ctx, table.Batch[item, int64]{Put: named("applied", 3), Delete: []int64{21}}))
	ok(t, session.Put(ctx, named("late", 1, 2, 20, 4)...))
	catchUp(t, m, tbl)
	want := slices.Concat(named("first", 0), named("through", 1), named("applied", 3), numbered(4, 10), named("through", 30))
	wantItems(t, "before the merge", all(t, m.Records(ctx, m.All("at"))), want)
	ok(t, session.Merge(ctx, []byte("noted")))
	catchUp(t, m, tbl)
	want = slices.Concat(named("first", 0), named("through", 1), named("applied", 3), named("late", 4), numbered(5, 10), named("through", 30))
	wantItems(t, "after it", all(t, m.Records(ctx, m.All("at"))), want)
	wantItems(t, "in the table", all(t, tbl.Records(ctx, tbl.All("at"))), want)
	if note, err := m.Note(ctx); err != nil || string(note) != "noted" {
		t.Errorf("note %q, %v", note, err)
	}
}

// A reload of everything replaces what is there, but for what was written through: in a mirror that follows, and in one that copies
// the table in the middle of it.
func TestD12_AReloadOfEverythingInAMirror(t *testing.T) {
	t.Parallel()
	ctx, tbl := t.Context(), openItems(t, table.WithWriteThrough())
	put(t, tbl, numbered(0, 10)...)
	early := mirrorOf(t, tbl)
	session, err := tbl.Scratch(ctx)
	ok(t, err)
	put(t, tbl, numbered(0, 1)...)
	_, err = session.Discard(ctx, tbl.All("at"))
	ok(t, err)
	put(t, tbl, numbered(30, 31)...)
	late := mirrorOf(t, tbl)
	ok(t, session.Put(ctx, numbered(20, 23)...))
	_, err = tbl.DeleteKeys(ctx, 1)
	ok(t, err)
	see := func(what string, want ...item) {
		t.Helper()
		for _, m := range []*mirrors{early, late} {
			catchUp(t, m, tbl)
			wantItems(t, what, all(t, m.Records(ctx, m.All("at"))), want)
		}
		wantItems(t, what+" in the table", all(t, tbl.Records(ctx, tbl.All("at"))), want)
	}
	see("before the merge", slices.Concat(numbered(0, 1), numbered(2, 10), numbered(30, 31))...)
	ok(t, session.Merge(ctx, nil))
	see("after it", slices.Concat(numbered(0, 1), numbered(20, 23), numbered(30, 31))...)
	ok(t, tbl.WaitClear(ctx))
	_, err = tbl.Delete(ctx, tbl.All("at"))
	ok(t, err)
	see("a delete of everything")
}

func TestOpenFailsWithWhatWaitingCannotCure(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	open := func(def table.Definition[item, int64], opts ...mirror.Option) error {
		t.Helper()
		m, err := mirror.Open(t.Context(), rdb, def, opts...)
		if err == nil {
			m.Close()
		}
		return err
	}
	if err := open(definition(name)); !errors.Is(err, table.ErrNoTable) {
		t.Errorf("no table: got %v", err)
	}
	tbl := openOn(t, rdb, name, table.WithFeed(0))
	if err := open(definition(name), mirror.WithWait()); !errors.Is(err, table.ErrNoFeed) {
		t.Errorf("no feed: got %v", err)
	}
	ok(t, tbl.Close())
	openOn(t, rdb, name)
	other := definition(name)
	other.Attributes[0] = table.Field("id", codec.IntAsString, func(i *item) *int64 { return &i.ID })
	if err := open(other, mirror.WithWait()); !errors.Is(err, table.ErrSchemaMismatch) {
		t.Errorf("another schema: got %v", err)
	}
	if err := open(table.Definition[item, int64]{Name: name}); !errors.Is(err, table.ErrInvalidDefinition) {
		t.Errorf("no definition: got %v", err)
	}
	var client *redis.Client
	if _, err := mirror.Open(t.Context(), client, definition(name)); !errors.Is(err, table.ErrUnsafeClient) {
		t.Errorf("no client: got %v", err)
	}
}

func TestWithWaitWaitsForATable(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := mirror.Open(ctx, rdb, definition(name), mirror.WithWait()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("until its context ends: got %v", err)
	}
	opened := make(chan *mirrors, 1)
	go func() {
		m, err := mirror.Open(t.Context(), rdb, definition(name), mirror.WithWait())
		if err != nil {
			t.Error(err)
		}
		opened <- m
	}()
	openOn(t, rdb, name)
	m := receive(t, "a mirror", opened)
	if m.Age() > patience {
		t.Errorf("%v old", m.Age())
	}
	ok(t, m.Close())
}

func TestAClosedMirrorSaysSo(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 3)...)
	m := mirrorOf(t, tbl)
	s := m.Snapshot()
	next, stop := nextChange(m.Changes(t.Context(), m.All("at")))
	defer stop()
	for range 4 {
		next(t)
	}
	waiting := make(chan error, 1)
	go func() { waiting <- m.WaitFor(t.Context(), ahead(t, tbl)) }()
	ok(t, m.Close())
	ok(t, m.Close())
	if err := receive(t, "a wait to end", waiting); !errors.Is(err, table.ErrClosed) {
		t.Errorf("WaitFor: got %v", err)
	}
	if _, err := next(t); !errors.Is(err, table.ErrClosed) {
		t.Errorf("Changes: got %v", err)
	}
	if _, err := m.Get(t.Context(), 1); !errors.Is(err, table.ErrClosed) {
		t.Errorf("Get: got %v", err)
	}
	if _, err := m.Note(t.Context()); !errors.Is(err, table.ErrClosed) {
		t.Errorf("Note: got %v", err)
	}
	wantItems(t, "a snapshot", all(t, s.Records(t.Context(), s.All("at"))), numbered(0, 3))
}

// ahead returns a position that a table has not come to.
func ahead(t testing.TB, tbl *items) table.Position {
	t.Helper()
	p, err := table.ParsePosition(tbl.Position().String() + "0000")
	ok(t, err)
	return p
}
