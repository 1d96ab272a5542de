package mirror_test

import (
	"context"
	"errors"
	"testing"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// noted is what a Mirror and a Snapshot can be asked on condition of the note.
type noted interface {
	table.NotedReading[item]
	GetIfNote(ctx context.Context, key int64, v table.NoteVersion) (item, error)
}

// conditional asks every verb on a condition, of a table that has item 3 and no item -3. It returns their errors.
func conditional(ctx context.Context, h noted, v table.NoteVersion) map[string]error {
	errs := map[string]error{}
	for what, s := range map[string]spec{
		"": h.All("at"), ", a predicate": h.All("rank").Reversed().Where(func(i *item) bool { return i.ID == 3 }), ", nothing": h.Range("at", -5, -4), ", no intervals": {Index: "at"},
	} {
		s = s.IfNote(v)
		records, err := table.Collect(h.Records(ctx, s))
		if err != nil && len(records) > 0 {
			errs["records came first"+what] = errors.New("a record")
		}
		errs["Records"+what] = err
		_, errs["First"+what] = h.First(ctx, s)
		_, errs["Count"+what] = h.Count(ctx, s)
		_, _, errs["Page"+what] = h.Page(ctx, s, "", 2)
	}
	_, errs["GetIfNote"] = h.GetIfNote(ctx, 3, v)
	_, errs["GetIfNote, nothing"] = h.GetIfNote(ctx, -3, v)
	return errs
}

func wantAnswers(t testing.TB, what string, h noted, v table.NoteVersion) {
	t.Helper()
	for verb, err := range conditional(t.Context(), h, v) {
		if err != nil && !errors.Is(err, table.ErrNotFound) {
			t.Errorf("%T, %s: %s: %v", h, what, verb, err)
		}
	}
}

func wantNoteChanged(t testing.TB, what string, h noted, v table.NoteVersion) {
	t.Helper()
	for verb, err := range conditional(t.Context(), h, v) {
		if !errors.Is(err, table.ErrNoteChanged) {
			t.Errorf("%T, %s: %s: %v", h, what, verb, err)
		}
	}
}

// versionOf returns the version of the note, which must be the one that is wanted.
func versionOf(t testing.TB, what string, h noted, want string) table.NoteVersion {
	t.Helper()
	note, v, err := h.Noted(t.Context())
	if ok(t, err); string(note) != want || v == (table.NoteVersion{}) {
		t.Errorf("%s: the note is %q (%v), want %q", what, note, v, want)
	}
	return v
}

// C1: a read that wants a version of the note is answered of a moment that has it, by every verb of a mirror and of a snapshot.
func TestC1_AMirrorAnswersUnderAVersionOfTheNote(t *testing.T) {
	t.Parallel()
	s, name := redistest.Start(t, redistest.Options{}), redistest.Prefix(t)
	rdb := s.Client(t)
	tbl := openOn(t, rdb, name)
	put(t, tbl, numbered(0, 10)...)
	m := mirrorOn(t, rdb, name)
	catchUp(t, m, tbl)
	v := versionOf(t, "at first", m, "")
	wantAnswers(t, "at first", m, v)
	wantAnswers(t, "any", m, table.NoteVersion{})
	put(t, tbl, numbered(3, 5)...)
	catchUp(t, m, tbl)
	wantAnswers(t, "after a write without a note", m, v)
	merge := func(records []item, note string) {
		session, err := tbl.Scratch(t.Context())
		ok(t, err)
		ok(t, session.Put(t.Context(), records...))
		ok(t, session.Merge(t.Context(), []byte(note)))
	}
	for _, c := range []struct {
		what string
		do   func()
		want string
	}{
		{"Apply of a note", func() { ok(t, tbl.Apply(t.Context(), table.Batch[item, int64]{Note: []byte("1")})) }, "1"},
		{"the same note", func() {
			ok(t, tbl.Apply(t.Context(), table.Batch[item, int64]{Put: numbered(3, 4), Note: []byte("1")}))
		}, "1"},
		{"Merge", func() { merge(numbered(2, 8), "2") }, "2"},
		{"Merge of nothing", func() { merge(nil, "3") }, "3"},
		{"Clear", func() { ok(t, tbl.Clear(t.Context())) }, ""},
		{"a reset", func() { tbl = openOn(t, rdb, name, table.WithReset()) }, ""},
		{"another table", func() {
			ok(t, rdb.FlushAll(t.Context()).Err())
			tbl = openOn(t, rdb, name)
		}, ""},
	} {
		before := m.Snapshot()
		c.do()
		put(t, tbl, numbered(0, 10)...)
		catchUp(t, m, tbl)
		next := versionOf(t, c.what, m, c.want)
		wantNoteChanged(t, c.what, m, v)
		wantAnswers(t, c.what, m, next)
		wantAnswers(t, "before "+c.what, before, v)
		wantNoteChanged(t, "before "+c.what, before, next)
		if after := m.Snapshot(); versionOf(t, c.what, after, c.want) != next {
			t.Errorf("%s: a snapshot has another version than its mirror", c.what)
		}
		v = next
	}
}

// C1: versions of two mirrors of the same table are not taken for each other.
func TestC1_AVersionIsOfOneMirror(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 10)...)
	wantNoteChanged(t, "another's", mirrorOf(t, tbl), versionOf(t, "at first", mirrorOf(t, tbl), ""))
}

// C1: changes take no condition.
func TestC1_ChangesTakeNoCondition(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	m := mirrorOf(t, tbl)
	for _, err := range m.Changes(t.Context(), m.All("at").IfNote(versionOf(t, "at first", m, ""))) {
		if !errors.Is(err, table.ErrInvalidSpec) {
			t.Fatalf("got %v", err)
		}
	}
}
