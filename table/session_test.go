package table_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// W2: scratch sessions that belong to somebody.

func begin(t testing.TB, tbl *items) *scratch {
	t.Helper()
	s, err := tbl.Scratch(t.Context())
	ok(t, err)
	return s
}

// beginLife begins a session that a function ends.
func beginLife(t testing.TB, tbl *items) (*scratch, context.CancelFunc) {
	t.Helper()
	ctx, end := context.WithCancel(t.Context())
	t.Cleanup(end)
	s, err := tbl.Scratch(ctx)
	ok(t, err)
	return s, end
}

func wantStaged(t testing.TB, s *scratch, want int) {
	t.Helper()
	n, err := s.Count(t.Context())
	if ok(t, err); n != want {
		t.Errorf("a merge would show %d records, want %d", n, want)
	}
}

// wantEnded checks that each method of a session says how it has ended.
func wantOver(t testing.TB, s *scratch, want error) {
	t.Helper()
	for what, call := range map[string]func() error{
		"Put":            func() error { return s.Put(t.Context(), numbered(900, 901)...) },
		"Put of nothing": func() error { return s.Put(t.Context()) },
		"Discard": func() error {
			_, err := s.Discard(t.Context(), table.Spec[item]{Index: "at", Intervals: []table.Interval{table.Everything()}})
			return err
		},
		"DiscardKeys":      func() error { _, err := s.DiscardKeys(t.Context(), 0, 1); return err },
		"DiscardKeys of 0": func() error { _, err := s.DiscardKeys(t.Context()); return err },
		"Count":            func() error { _, err := s.Count(t.Context()); return err },
		"Merge":            func() error { return s.Merge(t.Context(), []byte("late")) },
		"Abort":            func() error { return s.Abort(t.Context()) },
	} {
		if err := call(); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", what, err, want)
		}
	}
}

func TestW2_ASessionFromBeginningToEnd(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 10)...)
	s := begin(t, tbl)
	wantStaged(t, s, 10)
	put(t, tbl, numbered(10, 12)...) // nothing is staged yet
	wantState(t, tbl, table.StateClear)
	if stats(t, tbl).ScratchSince.IsZero() {
		t.Error("no session is on")
	}
	ok(t, s.Put(t.Context(), numbered(11, 15)...))
	wantStaged(t, s, 15)
	n, err := s.Discard(t.Context(), tbl.Range("at", 0, 30))
	if ok(t, err); n != 3 {
		t.Errorf("discarded %d, want 3", n)
	}
	n, err = s.DiscardKeys(t.Context(), 0, 5, 14, 77)
	if ok(t, err); n != 2 {
		t.Errorf("discarded %d, want 2", n)
	}
	wantStaged(t, s, 10)
	wantIDs(t, tbl, tbl.Range("at", 0, 35), 0, 1, 2, 3)
	ok(t, s.Merge(t.Context(), []byte("note")))
	wantIDs(t, tbl, tbl.All("at"), 3, 4, 6, 7, 8, 9, 10, 11, 12, 13)
	note, err := tbl.Note(t.Context())
	ok(t, err)
	wantNote(t, note, []byte("note"))
	wantOver(t, s, table.ErrScratchMerged)
	ok(t, tbl.WaitClear(t.Context()))
	if !stats(t, tbl).ScratchSince.IsZero() {
		t.Error("a session is still on")
	}
	wantProblems(t, tbl)
}

// What issue 13 tells: one loader's abort dropped another's rows, whose merge then said nil.
func TestW2_AMergeOfWhatAnotherHasAbortedSaysSo(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*items) error{
		"abort": func(i *items) error { return i.ScratchAbort(t.Context()) },
		"clear": func(i *items) error { return i.Clear(t.Context()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tbl := openItems(t)
			for _, staged := range []bool{true, false} {
				s := begin(t, tbl)
				if staged {
					ok(t, s.Put(t.Context(), numbered(0, 5)...))
				}
				ok(t, end(tbl))
				if err := s.Merge(t.Context(), []byte("n")); !errors.Is(err, table.ErrScratchAborted) {
					t.Errorf("the merge: %v", err)
				}
				wantOver(t, s, table.ErrScratchAborted)
			}
			wantIDs(t, tbl, tbl.All("at"))
			wantState(t, tbl, table.StateClear)
		})
	}
}

// While a session is on other scratch calls wait, and say for what. An abort and regular writes do not.
func TestW2_OtherScratchCallsWait(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	others := scratchWrites()
	others["ScratchMerge"] = func(ctx context.Context, i *items) error { return i.ScratchMerge(ctx) }
	others["ScratchDiscardKeys"] = func(ctx context.Context, i *items) error { _, err := i.ScratchDiscardKeys(ctx, 1); return err }
	others["Scratch"] = func(ctx context.Context, i *items) error { _, err := i.Scratch(ctx); return err }
	for _, staged := range []bool{false, true} {
		put(t, tbl, numbered(0, 5)...)
		s := begin(t, tbl)
		since := stats(t, tbl).ScratchSince
		if staged {
			ok(t, s.Put(t.Context(), numbered(5, 6)...))
		}
		for name, call := range others {
			err := within(t, 30*time.Millisecond, func(ctx context.Context) error { return call(ctx, tbl) })
			wantWait(t, name, err, table.WaitScratch, nil)
			var w *table.WaitError
			if errors.As(err, &w) && w.Since.Sub(since).Abs() > time.Second {
				t.Errorf("%s: waited since %v, the session began at %v", name, w.Since, since)
			}
		}
		for name, write := range regularWrites() {
			err := within(t, 30*time.Millisecond, func(ctx context.Context) error { return write(ctx, tbl) })
			if staged {
				wantWait(t, name, err, table.WaitScratch, nil)
			} else if err != nil && !errors.Is(err, table.ErrNotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		plain := async(t, func() error { return tbl.ScratchPut(t.Context(), numbered(50, 51)...) })
		stillWaits(t, tbl, plain)
		next := async(t, func() error {
			n, err := tbl.Scratch(t.Context())
			if err != nil {
				return err
			}
			if err := n.Put(t.Context(), numbered(60, 61)...); err != nil {
				return err
			}
			return n.Abort(t.Context())
		})
		stillWaits(t, tbl, next)
		ok(t, s.Abort(t.Context()))
		ok(t, receive(t, "the plain put", plain))
		ok(t, tbl.ScratchAbort(t.Context()))
		ok(t, receive(t, "the next session", next))
	}
}

// The session lives no longer than its context, whatever context its calls have.
func TestW2_TheSessionEndsWithItsContext(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	for _, staged := range []bool{true, false} {
		s, end := beginLife(t, tbl)
		if staged {
			ok(t, s.Put(t.Context(), numbered(0, 5)...))
		}
		waiting := async(t, func() error { return tbl.Put(t.Context(), numbered(7, 8)...) })
		end()
		if err := s.Merge(context.Background(), []byte("n")); !errors.Is(err, table.ErrScratchAborted) || !errors.Is(err, context.Canceled) {
			t.Errorf("the merge: %v", err)
		}
		wantOver(t, s, table.ErrScratchAborted)
		ok(t, receive(t, "a put that waits for the session", waiting))
		wantIDs(t, tbl, tbl.All("at"), 7)
		note, err := tbl.Note(t.Context())
		ok(t, err)
		wantNote(t, note, nil)
		wantState(t, tbl, table.StateClear)
	}
}

// Merges race with the end of their context: a merge that says nil is there, one that says ErrScratchAborted is not, now or later.
func TestW2_AMergeThatRacesWithItsContext(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	told := map[bool]int{}
	for i := range 300 {
		s, end := beginLife(t, tbl)
		ok(t, s.Put(t.Context(), numbered(i, i+1)...))
		ended := async(t, func() error { end(); return nil })
		err := s.Merge(context.Background(), fmt.Append(nil, i))
		if err != nil && !errors.Is(err, table.ErrScratchAborted) {
			t.Fatal(err)
		}
		ok(t, receive(t, "the end", ended))
		ok(t, tbl.WaitClear(t.Context()))
		_, there := tbl.Get(t.Context(), int64(i))
		note, noteErr := tbl.Note(t.Context())
		ok(t, noteErr)
		if (err == nil) != (there == nil) || (err == nil) != (string(note) == fmt.Sprint(i)) {
			t.Fatalf("the merge said %v, the record %v, the note %q", err, there, note)
		}
		told[err == nil]++
	}
	t.Logf("merged or not: %v", told)
}

// Late calls of a session that has ended do nothing to the one that is on.
func TestW2_AnEndedSessionTouchesNoLaterOne(t *testing.T) {
	t.Parallel()
	for how, end := range map[string]struct {
		do   func(*items, *scratch, context.CancelFunc) error
		want error
	}{
		"merge": {func(_ *items, s *scratch, _ context.CancelFunc) error { return s.Merge(t.Context(), nil) }, table.ErrScratchMerged},
		"abort": {func(_ *items, s *scratch, _ context.CancelFunc) error { return s.Abort(t.Context()) }, table.ErrScratchAborted},
		"clear": {func(i *items, _ *scratch, _ context.CancelFunc) error { return i.Clear(t.Context()) }, table.ErrScratchAborted},
		"leave": {func(_ *items, _ *scratch, leave context.CancelFunc) error { leave(); return nil }, table.ErrScratchAborted},
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			tbl := openItems(t)
			for _, staged := range []int{0, 5} {
				s, leave := beginLife(t, tbl)
				ok(t, s.Put(t.Context(), numbered(0, staged)...))
				ok(t, end.do(tbl, s, leave))
				next := begin(t, tbl)
				ok(t, next.Put(t.Context(), numbered(20, 30)...))
				wantOver(t, s, end.want)
				leave()
				wantStaged(t, next, 10+len(ids(t, tbl, tbl.All("at"))))
				ok(t, next.Abort(t.Context()))
				ok(t, tbl.ScratchPut(t.Context(), numbered(20, 30)...)) // a plain one
				wantOver(t, s, end.want)
				if n := stats(t, tbl).Staged; n != 10 {
					t.Errorf("%d are staged, want 10", n)
				}
				ok(t, tbl.ScratchAbort(t.Context()))
			}
		})
	}
}

// The note of a merge: nil leaves it, one of no bytes is one, one that is too large is refused and the session goes on. With nothing
// staged it is written alone, and the generation stays.
func TestW2_TheNoteOfAMerge(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl := openOn(t, rdb, name)
	for i, c := range []struct {
		staged int
		note   []byte
		want   string // seq, gen, rver, notes
		holds  []byte
	}{
		{0, nil, "[0 0 0 0]", nil},
		{3, nil, "[2 1 0 0]", nil},
		{3, []byte("a"), "[4 2 0 1]", []byte("a")},
		{0, []byte("b"), "[5 2 0 2]", []byte("b")},
		{0, nil, "[5 2 0 2]", []byte("b")},
		{3, nil, "[7 3 0 2]", []byte("b")},
		{3, []byte{}, "[9 4 0 3]", []byte{}},
		{0, make([]byte, 64<<10), "[10 4 0 4]", make([]byte, 64<<10)},
	} {
		s := begin(t, tbl)
		ok(t, s.Put(t.Context(), numbered(0, c.staged)...))
		err := s.Merge(t.Context(), make([]byte, 64<<10+1))
		if !errors.Is(err, table.ErrTooLarge) || !strings.Contains(err.Error(), "a note of 65537 bytes, at most 65536") {
			t.Errorf("merge %d with too large a note: %v", i, err)
		}
		ok(t, s.Merge(t.Context(), c.note))
		if err := s.Abort(t.Context()); !errors.Is(err, table.ErrScratchMerged) {
			t.Errorf("abort %d in a defer: %v", i, err)
		}
		ok(t, tbl.WaitClear(t.Context()))
		if got := fmt.Sprint(rdb.HMGet(t.Context(), name+":m", "seq", "gen", "rver", "notes").Val()); got != c.want {
			t.Errorf("merge %d: seq, gen, rver and notes are %s, want %s", i, got, c.want)
		}
		note, err := tbl.Note(t.Context())
		ok(t, err)
		wantNote(t, note, c.holds)
	}
}

// Readers and followers see a merge and its note at one moment.
func TestW2_AMergeIsSeenWithItsNote(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	c := newTwin()
	follow(t, redistest.Shared(t).Client(t), tbl.Name(), c)
	c.untilAt(t, tbl.Position())
	h, notes := make(history), make(map[table.Position][]byte)
	for i := range 5 {
		s := begin(t, tbl)
		var note []byte
		if i != 3 {
			note = fmt.Append(nil, i)
		}
		if i != 2 {
			ok(t, s.Put(t.Context(), numbered(i, i+3)...))
		}
		ok(t, s.Merge(t.Context(), note))
		h[tbl.Position()] = all(t, tbl.Records(t.Context(), tbl.All("at")))
		held, err := tbl.Note(t.Context())
		ok(t, err)
		notes[tbl.Position()] = held
		c.untilAt(t, tbl.Position())
		ok(t, tbl.WaitClear(t.Context()))
	}
	if n := h.compare(t, c); n != 5 {
		t.Errorf("%d merges were compared", n)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for p, want := range notes {
		wantNote(t, c.notes[p], want)
	}
	if c.noted != 5 { // the first is that of the copy
		t.Errorf("the note was told %d times", c.noted)
	}
}

// The table ends: sessions say so.
func TestW2_ASessionEndsWithItsTable(t *testing.T) {
	t.Parallel()
	for want, end := range map[error]func(t *testing.T, rdb *redis.Client, tbl *items){
		table.ErrClosed: func(t *testing.T, _ *redis.Client, tbl *items) { ok(t, tbl.Close()) },
		table.ErrFenced: func(t *testing.T, rdb *redis.Client, tbl *items) {
			next := openOn(t, rdb, tbl.Name())
			wantState(t, next, table.StateClear) // what was staged is dropped
			if err := tbl.Put(t.Context(), numbered(0, 1)...); !errors.Is(err, table.ErrFenced) {
				t.Errorf("put: %v", err)
			}
		},
	} {
		t.Run(want.Error(), func(t *testing.T) {
			t.Parallel()
			rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
			tbl := openOn(t, rdb, name)
			s := begin(t, tbl)
			next := async(t, func() error { _, err := tbl.Scratch(t.Context()); return err })
			stillWaits(t, tbl, next)
			end(t, rdb, tbl)
			wantOver(t, s, want)
			if err := receive(t, "another Scratch", next); !errors.Is(err, want) {
				t.Errorf("another Scratch: %v", err)
			}
		})
	}
	t.Run("a merge finds another owner", func(t *testing.T) {
		t.Parallel()
		rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
		tbl := openOn(t, rdb, name)
		for _, staged := range []int{5, 0} {
			s := begin(t, tbl)
			ok(t, s.Put(t.Context(), numbered(0, staged)...))
			next := openOn(t, rdb, name)
			if err := s.Merge(t.Context(), nil); !errors.Is(err, table.ErrFenced) {
				t.Errorf("merge with %d staged: %v", staged, err)
			}
			wantIDs(t, next, next.All("at"))
			tbl = next
		}
	})
}

// Count goes through what is staged in steps: rows, tombstones of merged rows and of staged ones, and rows that are replaced.
func TestW2_CountOfMany(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 12_000)...)
	s := begin(t, tbl)
	n, err := s.Discard(t.Context(), tbl.Range("at", 0, 60_000))
	if ok(t, err); n != 6000 {
		t.Fatalf("discarded %d", n)
	}
	wantStaged(t, s, 6000)
	ok(t, s.Put(t.Context(), numbered(3000, 20_000)...))
	wantStaged(t, s, 17_000)
	keys := make([]int64, 2500)
	for i := range keys {
		keys[i] = int64(10_000 + 2*i)
	}
	n, err = s.DiscardKeys(t.Context(), keys...)
	if ok(t, err); n != 2500 {
		t.Fatalf("discarded %d", n)
	}
	wantStaged(t, s, 14_500)
	ok(t, s.Merge(t.Context(), nil))
	if n := len(ids(t, tbl, tbl.All("at"))); n != 14_500 {
		t.Errorf("the merge shows %d", n)
	}
}

// A count beside writes of the same session ends, and is about right.
func TestW2_CountBesideWrites(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	s := begin(t, tbl)
	ok(t, s.Put(t.Context(), numbered(0, 20_000)...))
	stop := make(chan struct{})
	done := async(t, func() error {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return nil
			default:
			}
			if err := s.Put(t.Context(), numbered(20_000+i%1000, 20_001+i%1000)...); err != nil {
				return err
			}
		}
	})
	for range 20 {
		n, err := s.Count(t.Context())
		if ok(t, err); n < 19_000 || n > 22_000 {
			t.Errorf("count %d", n)
		}
	}
	close(stop)
	ok(t, receive(t, "the writes", done))
	ok(t, s.Abort(t.Context()))
}

func TestW2_ScratchDiscardKeys(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 5)...)
	ok(t, tbl.ScratchPut(t.Context(), numbered(5, 8)...))
	for _, want := range []int{3, 0} {
		n, err := tbl.ScratchDiscardKeys(t.Context(), 1, 6, 6, 77, 2)
		if ok(t, err); n != want {
			t.Errorf("discarded %d, want %d", n, want)
		}
	}
	n, err := tbl.ScratchDiscardKeys(t.Context())
	if ok(t, err); n != 0 {
		t.Errorf("discarded %d, want 0", n)
	}
	wantIDs(t, tbl, tbl.All("at"), 0, 1, 2, 3, 4)
	mergeAndFold(t, tbl)
	wantIDs(t, tbl, tbl.All("at"), 0, 3, 4, 5, 7)
}
