package table_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// noted is what a Table and a Reader can be asked on condition of the note.
type noted interface {
	table.NotedReading[item]
	table.KeyReading[item, int64]
	Stream(ctx context.Context, s table.Spec[item]) *table.Stream[item]
	GetIfNote(ctx context.Context, key int64, v table.NoteVersion) (item, error)
}

// conditional are the verbs that a condition may be set for, each of a table of manyItems. They return how many records came.
var conditional = map[string]func(context.Context, noted, table.NoteVersion) (int, error){
	"Records": func(ctx context.Context, h noted, v table.NoteVersion) (int, error) {
		return number(table.Collect(h.Records(ctx, h.Range("at", 0, 50).IfNote(v))))
	},
	"Records, many pages": func(ctx context.Context, h noted, v table.NoteVersion) (int, error) {
		return number(table.Collect(h.Records(ctx, h.All("at").IfNote(v))))
	},
	"Records, many pages, a predicate, reversed": func(ctx context.Context, h noted, v table.NoteVersion) (int, error) {
		return number(table.Collect(h.Records(ctx, h.All("at").IfNote(v).Where(isEven).Reversed().Max(700))))
	},
	"Records of nothing": func(ctx context.Context, h noted, v table.NoteVersion) (int, error) {
		return number(table.Collect(h.Records(ctx, h.Range("at", -5, -4).IfNote(v))))
	},
	"Records, no intervals": func(ctx context.Context, h noted, v table.NoteVersion) (int, error) {
		return number(table.Collect(h.Records(ctx, none().IfNote(v))))
	},
	"Stream": func(ctx context.Context, h noted, v table.NoteVersion) (n int, err error) {
		s := h.Stream(ctx, h.All("rank").IfNote(v))
		for range s.C() {
			n++
		}
		return n, s.Err()
	},
	"First": func(ctx context.Context, h noted, v table.NoteVersion) (int, error) {
		_, err := h.First(ctx, h.All("at").IfNote(v))
		return 1, err
	},
	"First of nothing": func(ctx context.Context, h noted, v table.NoteVersion) (int, error) {
		_, err := h.First(ctx, h.Range("at", -5, -4).IfNote(v))
		return 0, notFound(err)
	},
	"Count": func(ctx context.Context, h noted, v table.NoteVersion) (int, error) {
		return h.Count(ctx, h.All("at").IfNote(v))
	},
	"Count, a predicate": func(ctx context.Context, h noted, v table.NoteVersion) (int, error) {
		return h.Count(ctx, h.All("at").IfNote(v).Where(isEven))
	},
	"Count, no intervals": func(ctx context.Context, h noted, v table.NoteVersion) (int, error) {
		return h.Count(ctx, none().IfNote(v))
	},
	"Page": func(ctx context.Context, h noted, v table.NoteVersion) (int, error) {
		records, _, err := h.Page(ctx, h.All("at").IfNote(v), "", 1500)
		return len(records), err
	},
	"Page, no intervals": func(ctx context.Context, h noted, v table.NoteVersion) (int, error) {
		records, _, err := h.Page(ctx, none().IfNote(v), "", 10)
		return len(records), err
	},
	"GetIfNote": func(ctx context.Context, h noted, v table.NoteVersion) (int, error) {
		_, err := h.GetIfNote(ctx, 3, v)
		return 1, err
	},
	"GetIfNote of nothing": func(ctx context.Context, h noted, v table.NoteVersion) (int, error) {
		_, err := h.GetIfNote(ctx, -3, v)
		return 0, notFound(err)
	},
}

// wantConditional are how many records the verbs return while the note is as they want it.
var wantConditional = map[string]int{
	"Records": 5, "Records, many pages": manyItems, "Records, many pages, a predicate, reversed": 700, "Stream": manyItems, "First": 1,
	"Count": manyItems, "Count, a predicate": manyItems / 2, "Page": 1500, "GetIfNote": 1,
}

func isEven(i *item) bool { return i.ID%2 == 0 }

func none() table.Spec[item] { return table.Spec[item]{Index: "at"} }

func number(records []item, err error) (int, error) { return len(records), err }

// notFound turns ErrNotFound, which must come, into nil.
func notFound(err error) error {
	switch {
	case err == nil:
		return errors.New("there is such a record")
	case errors.Is(err, table.ErrNotFound):
		return nil
	}
	return err
}

// versionOf returns the version of the note, which must be the one that is wanted.
func versionOf(t testing.TB, h noted, want []byte) table.NoteVersion {
	t.Helper()
	note, v, err := h.Noted(t.Context())
	ok(t, err)
	wantNote(t, note, want)
	if v == (table.NoteVersion{}) {
		t.Error("the version is the zero one")
	}
	return v
}

// wantAnswers checks that all verbs answer on a condition.
func wantAnswers(t testing.TB, what string, h noted, v table.NoteVersion) {
	t.Helper()
	for verb, call := range conditional {
		if n, err := call(t.Context(), h, v); err != nil || n != wantConditional[verb] {
			t.Errorf("%T, %s: %s: %d records, %v", h, what, verb, n, err)
		}
	}
}

// wantNoteChanged checks that all verbs refuse a condition, before anything is yielded, and that the present one holds.
func wantNoteChanged(t testing.TB, what string, h noted, v table.NoteVersion) {
	t.Helper()
	for verb, call := range conditional {
		n, err := call(t.Context(), h, v)
		if !errors.Is(err, table.ErrNoteChanged) || n > 0 && verb != "First" && verb != "GetIfNote" {
			t.Errorf("%T, %s: %s: %d records, %v", h, what, verb, n, err)
		}
	}
}

// noteChange is something that gives the note another version. All rows are there afterwards.
type noteChange struct {
	what string
	do   func(*items) error
	want []byte
}

func noteChanges(ctx context.Context) []noteChange {
	return []noteChange{
		{"Apply of a note", func(tbl *items) error { return tbl.Apply(ctx, batch{Note: []byte("1")}) }, []byte("1")},
		{"Apply", func(tbl *items) error { return tbl.Apply(ctx, batch{Put: numbered(3, 5), Note: []byte{}}) }, []byte{}},
		{"the same note again", func(tbl *items) error { return tbl.Apply(ctx, batch{Put: numbered(3, 5), Note: []byte{}}) }, []byte{}},
		{"Merge", func(tbl *items) error { return mergeNoted(ctx, tbl, numbered(7, 20), "2") }, []byte("2")},
		{"Merge of nothing", func(tbl *items) error { return mergeNoted(ctx, tbl, nil, "3") }, []byte("3")},
		{"Clear", func(tbl *items) error {
			if err := tbl.Clear(ctx); err != nil {
				return err
			}
			return tbl.Put(ctx, numbered(0, manyItems)...)
		}, nil},
	}
}

// mergeNoted merges records in a session of its own, with a note.
func mergeNoted(ctx context.Context, tbl *items, records []item, note string) error {
	s, err := tbl.Scratch(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = s.Abort(ctx) }() // after the merge it does nothing
	if err := s.Put(ctx, records...); err != nil {
		return err
	}
	return s.Merge(ctx, []byte(note))
}

// foldOf lets the fold of a table run, and stops the next one.
func foldOf(t testing.TB, tbl *items, b *brake) {
	t.Helper()
	b.release()
	ok(t, tbl.WaitClear(t.Context()))
	b.now = nil
	b.press(t)
}

// C1: a read that wants a version of the note is answered of a moment that has it, by every verb of a table and of a reader.
func TestC1_AVersionOfTheNoteIsWhatAReadIsOf(t *testing.T) {
	t.Parallel()
	b := newBrake(t)
	tbl := openItems(t, smallPages(), table.WithCleanup(b.pool))
	put(t, tbl, numbered(0, manyItems)...)
	for _, h := range []noted{tbl, readerOf(t, tbl.Name(), smallPages())} {
		v := versionOf(t, h, nil)
		wantAnswers(t, "at first", h, v)
		wantAnswers(t, "any", h, table.NoteVersion{})
		ok(t, tbl.Put(t.Context(), numbered(5, 6)...))
		wantAnswers(t, "after a write without a note", h, v)
		for _, c := range noteChanges(t.Context()) {
			ok(t, c.do(tbl))
			wantNoteChanged(t, c.what, h, v)
			next := versionOf(t, h, c.want)
			wantAnswers(t, c.what, h, next) // while the merge is not folded, too
			wantNoteChanged(t, c.what, h, v)
			v = next
			foldOf(t, tbl, b)
		}
		ok(t, tbl.ScratchPut(t.Context(), numbered(3, 9)...))
		ok(t, tbl.ScratchMerge(t.Context()))
		wantAnswers(t, "after a merge without a note", h, v)
		foldOf(t, tbl, b)
	}
}

// C1: under another owner the version is another one, whether the note is the same or not, and whatever its number.
func TestC1_AnotherOwnersNoteHasAnotherVersion(t *testing.T) {
	t.Parallel()
	s, name := redistest.Start(t, redistest.Options{}), redistest.Prefix(t)
	rdb := s.Client(t)
	tbl := openOn(t, rdb, name, smallPages())
	ok(t, tbl.Apply(t.Context(), batch{Put: numbered(0, 10), Note: []byte("first")}))
	put(t, tbl, numbered(0, manyItems)...)
	r := openReader(t, rdb, name, smallPages())
	v := versionOf(t, r, []byte("first"))
	for _, c := range []struct {
		what  string
		opens func()
		want  []byte
	}{
		{"a take-over", func() { tbl = openOn(t, rdb, name, smallPages()) }, []byte("first")},
		{"a reset", func() { tbl = openOn(t, rdb, name, smallPages(), table.WithReset()) }, nil},
		{"another table", func() {
			ok(t, rdb.FlushAll(t.Context()).Err())
			tbl = openOn(t, rdb, name, smallPages())
			if _, err := r.Get(t.Context(), 3); !errors.Is(err, table.ErrLost) {
				t.Errorf("got %v", err)
			}
			ok(t, tbl.Apply(t.Context(), batch{Put: numbered(0, 10), Note: []byte("second")})) // as often as before
		}, []byte("second")},
	} {
		c.opens()
		put(t, tbl, numbered(0, manyItems)...)
		for _, h := range []noted{tbl, r} {
			wantNoteChanged(t, c.what, h, v)
			wantAnswers(t, c.what, h, versionOf(t, h, c.want))
		}
		v = versionOf(t, r, c.want)
	}
}

// generationOf checks that all that was read are so many items of one name, or nothing; it returns which.
func generationOf(n int, records []item, err error) (string, error) {
	if len(records) == 0 {
		return "", err
	}
	for i := range records {
		if records[i].Name != records[0].Name {
			return "", fmt.Errorf("a mix of %q and %q: %w", records[0].Name, records[i].Name, err)
		}
	}
	if len(records) != n {
		return "", fmt.Errorf("%d records of %q: %w", len(records), records[0].Name, err)
	}
	return records[0].Name, err
}

// allNamed returns numbered items that all have a name.
func allNamed(name string) []item {
	all := numbered(0, manyItems)
	for i := range all {
		all[i].Name = name
	}
	return all
}

// C1: a merge with a note comes between the first page of an owner's long read and its pin: what is read again is of the new note.
func TestC1_APinOfALaterNoteIsNotReadUnderTheEarlierOne(t *testing.T) {
	t.Parallel()
	rdb, pages := hooked(t)
	tbl := openOn(t, rdb, redistest.Prefix(t), smallPages())
	for what, read := range map[string]func(table.Spec[item]) (string, error){
		"Records": func(s table.Spec[item]) (string, error) {
			records, err := table.Collect(tbl.Records(t.Context(), s))
			return generationOf(manyItems, records, err)
		},
		"Page, several parts": func(s table.Spec[item]) (string, error) {
			records, _, err := tbl.Page(t.Context(), s, "", manyItems)
			return generationOf(manyItems, records, err)
		},
		"Count, a predicate": func(s table.Spec[item]) (string, error) {
			_, err := tbl.Count(t.Context(), s.Where(isEven))
			return "", err
		},
	} {
		ok(t, mergeNoted(t.Context(), tbl, allNamed("old"), "old"))
		v := versionOf(t, tbl, []byte("old"))
		pages.hold(nil, func(n int) {
			if n == 1 {
				ok(t, mergeNoted(t.Context(), tbl, allNamed("new"), "new"))
			}
		})
		name, err := read(tbl.All("at").IfNote(v))
		pages.hold(nil, nil)
		if name != "" || !errors.Is(err, table.ErrNoteChanged) {
			t.Errorf("%s: got %q, %v", what, name, err)
		}
		ok(t, tbl.WaitClear(t.Context()))
	}
}

// C1: a merge with a note in the middle of a long read that has begun to yield: all of the old one is read.
func TestC1_AReadThatHasBegunIsOfTheOldNoteToItsEnd(t *testing.T) {
	t.Parallel()
	tbl := openItems(t, smallPages())
	r := readerOf(t, tbl.Name(), smallPages())
	for _, h := range []noted{tbl, r} {
		ok(t, mergeNoted(t.Context(), tbl, allNamed("old"), "old"))
		var got []item
		for i, err := range h.Records(t.Context(), h.All("at").IfNote(versionOf(t, h, []byte("old")))) {
			if ok(t, err); len(got) == 0 {
				ok(t, mergeNoted(t.Context(), tbl, allNamed("new"), "new"))
			}
			got = append(got, i)
		}
		if name, err := generationOf(manyItems, got, nil); name != "old" || err != nil {
			t.Errorf("%T: got %q, %v", h, name, err)
		}
		ok(t, tbl.WaitClear(t.Context()))
	}
}

// C1, R3: a merge with a note, or an Apply, before any of the commands of a reader's long read, with and without what copies are made of: the
// read is of the old note whole, or it says that the note has changed.
func TestC1_AReadersCopyIsOfOneNote(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		owner, reader []table.Option
		change        func(*items) error
		expires       bool
		most          int // the limit, with a predicate
	}{
		"merge":          {change: func(tbl *items) error { return mergeNoted(t.Context(), tbl, allNamed("new"), "new") }},
		"merge, a limit": {most: 1000, change: func(tbl *items) error { return mergeNoted(t.Context(), tbl, allNamed("new"), "new") }},
		"apply": {change: func(tbl *items) error {
			return tbl.Apply(t.Context(), batch{Put: allNamed("new")[:1], Note: []byte("new")})
		}},
		"note": {change: func(tbl *items) error { return tbl.Apply(t.Context(), batch{Note: []byte("new")}) }},
		"merge, no feed": {owner: []table.Option{table.WithFeed(0)}, expires: true,
			change: func(tbl *items) error { return mergeNoted(t.Context(), tbl, allNamed("new"), "new") }},
		"merge, no memory": {reader: []table.Option{table.WithSnapshotMemory(1)}, expires: true,
			change: func(tbl *items) error { return mergeNoted(t.Context(), tbl, allNamed("new"), "new") }},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			tbl := openItems(t, c.owner...)
			rdb, hook := redistest.Shared(t).Client(t), &before{do: func() {}}
			rdb.AddHook(hook)
			r := openReader(t, rdb, tbl.Name(), append(c.reader, table.WithPageBytes(16<<10))...)
			var seen []string
			for k := 1; k < 200; k++ {
				ok(t, mergeNoted(t.Context(), tbl, allNamed("old"), "old"))
				ok(t, tbl.WaitClear(t.Context()))
				s, sent := r.All("at").IfNote(versionOf(t, r, []byte("old"))), 0
				if c.most > 0 {
					s = s.Max(c.most).Where(func(*item) bool { return true })
				}
				hook.do = func() {
					if sent++; sent == k {
						ok(t, c.change(tbl))
					}
				}
				records, err := table.Collect(r.Records(t.Context(), s))
				name, err := generationOf(cmp.Or(c.most, manyItems), records, err)
				hook.do = func() {}
				ok(t, tbl.WaitClear(t.Context()))
				switch {
				case name == "old" && err == nil:
				case name == "" && errors.Is(err, table.ErrNoteChanged):
					name = "changed"
				case c.expires && errors.Is(err, table.ErrSnapshotExpired):
					name = "expired"
				default:
					t.Errorf("%s before command %d: got %q, %v", what, k, name, err)
				}
				if seen = append(seen, name); sent < k {
					break
				}
			}
			t.Log(seen)
			if !slices.Contains(seen, "changed") || seen[len(seen)-1] != "old" {
				t.Errorf("got %v", seen)
			}
		})
	}
}

// C1: what deletes or discards takes no condition, and does nothing.
func TestC1_DeletesTakeNoCondition(t *testing.T) {
	t.Parallel()
	rdb, sent := counted(t)
	tbl := openOn(t, rdb, redistest.Prefix(t))
	put(t, tbl, numbered(0, 10)...)
	session := begin(t, tbl)
	n := sent.n.Load()
	ctx, cancel := context.WithTimeout(t.Context(), patience/10) // what is not refused may wait for the session
	defer cancel()
	for what, s := range map[string]table.Spec[item]{
		"plain": tbl.All("at"), "a predicate": tbl.All("at").Where(isEven), "a limit": tbl.All("at").Max(3), "no intervals": none(),
	} {
		s = s.IfNote(table.NoteVersion{Lineage: "x", Number: 1})
		_, deleted := tbl.Delete(ctx, s)
		_, discarded := tbl.ScratchDiscard(ctx, s)
		_, inSession := session.Discard(ctx, s)
		for verb, err := range map[string]error{
			"Delete": deleted, "ScratchDiscard": discarded, "Scratch.Discard": inSession,
			"DeleteSeq":         lastError(tbl.DeleteSeq(ctx, s)),
			"ScratchDiscardSeq": lastError(tbl.ScratchDiscardSeq(ctx, s)),
		} {
			if !errors.Is(err, table.ErrInvalidSpec) {
				t.Errorf("%s, %s: got %v", what, verb, err)
			}
		}
	}
	if n != sent.n.Load() {
		t.Error("something was sent")
	}
	ok(t, session.Abort(t.Context()))
}

// C1: where Redis has lost a write that was not acknowledged, the next note has the number of the one that is gone. The burned number tells
// them apart.
func TestC1_ANoteThatWasLostIsNotTheNextOne(t *testing.T) {
	t.Parallel()
	lost := wire.Moment{Epoch: "1:00", Notes: 5, Burns: 2}
	for what, m := range map[string]wire.Moment{
		"burned":        {Epoch: "1:00", Notes: 5, Burns: 3},
		"another owner": {Epoch: "1:01", Notes: 5, Burns: 2},
		"written":       {Epoch: "1:00", Notes: 6, Burns: 2},
	} {
		if table.VersionAt(m) == table.VersionAt(lost) {
			t.Errorf("%s: the same", what)
		}
	}
	if table.VersionAt(lost) != table.VersionAt(wire.Moment{Epoch: "1:00", Notes: 5, Burns: 2, Last: "x"}) {
		t.Error("not the same")
	}
}

// readNoted reads a table whose note says which name all its records have, until the end, and at least until the note has held once: a reader's
// copy comes to the latest note while it is made. It returns how often it has held.
func readNoted(ctx context.Context, h noted, end <-chan struct{}) (held int, err error) {
	for {
		note, v, err := h.Noted(ctx)
		if err != nil {
			return held, err
		}
		isOther := func(i *item) bool { return i.Name != string(note) }
		records, long := table.Collect(h.Records(ctx, h.All("at").IfNote(v)))
		first, short := h.First(ctx, h.Range("at", 30, 60).IfNote(v))
		others, count := h.Count(ctx, h.All("at").IfNote(v).Where(isOther))
		listed, _, page := h.Page(ctx, h.All("rank").IfNote(v), "", manyItems)
		one, get := h.GetIfNote(ctx, 3, v)
		for _, err := range []error{long, short, count, page, get} {
			if err != nil && !errors.Is(err, table.ErrNoteChanged) {
				return held, err
			}
		}
		if long == nil && len(records) != manyItems || others > 0 || slices.ContainsFunc(append(records, listed...), func(i item) bool { return isOther(&i) }) ||
			short == nil && isOther(&first) || get == nil && isOther(&one) {
			return held, fmt.Errorf("records of another note than %q", note)
		}
		if long == nil {
			held++
		}
		select {
		case <-end:
			if held > 0 {
				return held, nil
			}
		default:
		}
	}
}

// C1: while everything is merged anew over and over, each time with a note that says what it is, no read is of another note than it wants.
func TestC1_NoReadIsOfAnotherNote(t *testing.T) {
	t.Parallel()
	tbl := openItems(t, smallPages(), table.WithSnapshotGrace(patience))
	merge := func(n int) error {
		name := "generation " + strconv.Itoa(n)
		return mergeNoted(t.Context(), tbl, allNamed(name), name)
	}
	ok(t, merge(0))
	end := make(chan struct{})
	var readers errgroup.Group
	for _, h := range []noted{tbl, tbl, readerOf(t, tbl.Name(), smallPages()), readerOf(t, tbl.Name())} {
		readers.Go(func() error {
			held, err := readNoted(t.Context(), h, end)
			t.Logf("%T: held %d times", h, held)
			return err
		})
	}
	for n := range 20 {
		ok(t, merge(n+1))
	}
	close(end)
	ok(t, readers.Wait())
}
