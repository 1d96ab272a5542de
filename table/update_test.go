package table_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// 64 goroutines increment one record 50 times each: none is lost, and each has its turn after at most one of each other.
func TestW3_NoIncrementIsLost(t *testing.T) {
	t.Parallel()
	const callers, times = 64, 50
	tbl := openItems(t)
	put(t, tbl, item{ID: 1})
	var mu sync.Mutex
	var order []int
	g, ctx := errgroup.WithContext(t.Context())
	for n := range callers {
		g.Go(func() error {
			for range times {
				if err := tbl.Update(ctx, 1, func(i *item) error { i.Rank++; return nil }); err != nil {
					return err
				}
				mu.Lock()
				order = append(order, n)
				mu.Unlock()
			}
			return nil
		})
	}
	ok(t, g.Wait())
	got, err := tbl.Get(t.Context(), 1)
	ok(t, err)
	if got.Rank != callers*times {
		t.Errorf("counted %v, want %d", got.Rank, callers*times)
	}
	seen := make(map[int]int)
	for i, n := range order[:len(order)/2] {
		if before, is := seen[n]; is && i-before > 4*callers {
			t.Errorf("caller %d has waited for %d others", n, i-before)
		}
		seen[n] = i
	}
}

// Others put, and apply, the same record meanwhile, and it is staged and merged: no two updates change the same version of the record, and none
// changes a version that was never written.
func TestW3_NoUpdateIsLostAmongOtherWrites(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, item{ID: 1, Name: "p0"})
	var mu sync.Mutex
	changed, written, tries := make(map[string]string), map[string]bool{"p0": true}, 0
	wrote := func(name string) { mu.Lock(); written[name] = true; mu.Unlock() }
	var updates errgroup.Group
	var updated atomic.Bool
	for n := range 8 {
		updates.Go(func() error {
			for m := range 25 {
				var before, after string
				if err := tbl.Update(t.Context(), 1, func(i *item) error {
					before, after = i.Name, fmt.Sprintf("u%d.%d", n, m)
					i.Name = after
					mu.Lock()
					tries++
					mu.Unlock()
					return nil
				}); err != nil {
					return err
				}
				mu.Lock()
				if other, twice := changed[before]; twice {
					t.Errorf("%s and %s have both changed %s", other, after, before)
				}
				changed[before], written[after] = after, true
				mu.Unlock()
			}
			return nil
		})
	}
	other := async(t, func() error {
		for n := 1; !updated.Load(); n++ {
			name := fmt.Sprint("p", n)
			wrote(name)
			record := item{ID: 1, Name: name}
			var err error
			switch n % 8 {
			default:
				err = tbl.Put(t.Context(), record)
			case 1:
				err = tbl.Apply(t.Context(), batch{Put: []item{record}})
			case 2:
				if err = tbl.ScratchPut(t.Context(), record); err == nil {
					err = tbl.ScratchMerge(t.Context())
				}
			}
			if err == nil {
				_, err = tbl.Get(t.Context(), 1)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	ok(t, updates.Wait())
	updated.Store(true)
	ok(t, receive(t, "the other writes", other))
	for before := range changed {
		if !written[before] {
			t.Errorf("%s was changed and never written", before)
		}
	}
	if tries <= 200 {
		t.Errorf("only %d tries: nothing has come between", tries)
	}
}

// Whatever happens in change, and whatever it does to the key: nothing has changed.
func TestW3_AnUpdateThatFailsChangesNothing(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl := openOn(t, rdb, name)
	put(t, tbl, numbered(0, 3)...)
	before, own := dump(t, rdb, name), errors.New("enough")
	for what, c := range map[string]struct {
		key    int64
		change func(*item) error
		want   error
	}{
		"its error":             {1, func(i *item) error { i.Name = "x"; return own }, own},
		"a panic":               {1, func(i *item) error { i.Name = "x"; panic(secret) }, table.ErrPanic},
		"another key":           {1, func(i *item) error { i.ID = 2; return nil }, table.ErrInvalidSpec},
		"no record":             {77, func(*item) error { t.Error("called without a record"); return nil }, table.ErrNotFound},
		"a score that is wrong": {1, func(i *item) error { i.At = nan; return nil }, codec.ErrValue},
	} {
		err := tbl.Update(t.Context(), c.key, c.change)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v", what, err)
		}
		saysOnce(t, what, name, err)
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the text tells the value: %v", what, err)
		}
	}
	wantUntouched(t, rdb, name, before)
	ok(t, tbl.Update(t.Context(), 1, renamed("at last"))) // the turn was given back
}

// A record that was deleted after it was read is not brought back.
func TestW3_ADeletedRecordIsNotBroughtBack(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 3)...)
	err := tbl.Update(t.Context(), 1, func(i *item) error {
		_, err := tbl.DeleteKeys(t.Context(), 1)
		i.Name = "back"
		return err
	})
	if !errors.Is(err, table.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
	wantIDs(t, tbl, tbl.All("at"), 0, 2)
}

// An update sees what was merged and not folded yet, and is stored once it is.
func TestW3_AnUpdateSeesWhatIsMerged(t *testing.T) {
	t.Parallel()
	tbl, brake := openBraked(t)
	put(t, tbl, numbered(0, 3)...)
	ok(t, tbl.ScratchPut(t.Context(), item{ID: 1, Name: "staged"}))
	merge(t, tbl)
	read := make(chan string, 9)
	done := async(t, func() error {
		return tbl.Update(t.Context(), 1, func(i *item) error { read <- i.Name; i.Name += ", updated"; return nil })
	})
	if name := receive(t, "the record", read); name != "staged" {
		t.Errorf("read %q", name)
	}
	brake.release()
	ok(t, receive(t, "the update", done))
	got, err := tbl.Get(t.Context(), 1)
	ok(t, err)
	if got.Name != "staged, updated" {
		t.Errorf("got %+v", got)
	}
}

// Callers go in order of arrival; one that leaves is passed over; updates of other records do not wait; Close ends all.
func TestW3_UpdatesOfOneRecordGoInOrder(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 3)...)
	entered, leave := make(chan struct{}), make(chan struct{})
	first := async(t, func() error {
		return tbl.Update(t.Context(), 1, func(i *item) error { close(entered); <-leave; i.Name = "0"; return nil })
	})
	receive(t, "the first", entered)
	const callers = 6
	done := make([]<-chan error, callers)
	gone, end := context.WithCancel(t.Context())
	for n := range callers {
		ctx := t.Context()
		if n == 2 {
			ctx = gone
		}
		done[n] = async(t, func() error {
			return tbl.Update(ctx, 1, func(i *item) error { i.Name += fmt.Sprint(n + 1); return nil })
		})
		until(t, "the caller to be in line", func() bool { return tbl.InLine(1) == n+2 })
	}
	ok(t, tbl.Update(t.Context(), 2, renamed("another record")))
	end()
	if err := receive(t, "who has left", done[2]); !errors.Is(err, context.Canceled) || errors.Is(err, table.ErrUnknownOutcome) {
		t.Errorf("got %v", err)
	}
	close(leave)
	ok(t, receive(t, "the first", first))
	for n, c := range done {
		if n != 2 {
			ok(t, receive(t, "a caller", c))
		}
	}
	got, err := tbl.Get(t.Context(), 1)
	ok(t, err)
	if got.Name != "012456" {
		t.Errorf("got %q", got.Name)
	}
	if n := tbl.InLine(1); n != 0 {
		t.Errorf("%d are left in line", n)
	}
}

// Close, and a fence, end those who wait for their turn, too.
func TestW3_TheEndOfATableEndsWhoWaitsForATurn(t *testing.T) {
	t.Parallel()
	for how, want := range map[string]error{"closed": table.ErrClosed, "fenced": table.ErrFenced} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
			tbl, err := table.Open(t.Context(), rdb, itemDefinition(name))
			ok(t, err)
			put(t, tbl, numbered(0, 3)...)
			entered, leave := make(chan struct{}), make(chan struct{})
			first := async(t, func() error {
				return tbl.Update(t.Context(), 1, func(*item) error { close(entered); <-leave; return nil })
			})
			receive(t, "the first", entered)
			second := async(t, func() error { return tbl.Update(t.Context(), 1, renamed("x")) })
			until(t, "the second to be in line", func() bool { return tbl.InLine(1) == 2 })
			if how == "fenced" {
				openOn(t, rdb, name)
				_, err := tbl.Get(t.Context(), 1)
				if !errors.Is(err, table.ErrFenced) {
					t.Errorf("Get: %v", err)
				}
			} else {
				ok(t, tbl.Close())
			}
			if err := receive(t, "who waits", second); !errors.Is(err, want) {
				t.Errorf("got %v, want %v", err, want)
			}
			close(leave)
			if err := receive(t, "the first", first); !errors.Is(err, want) {
				t.Errorf("the first: got %v, want %v", err, want)
			}
			ok(t, tbl.Close())
		})
	}
}

// Who waits for a turn hears what all wait for.
func TestW3_WhoWaitsForATurnHearsWhatFor(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 3)...)
	ok(t, tbl.ScratchPut(t.Context(), numbered(5, 6)...))
	first := async(t, func() error { return tbl.Update(t.Context(), 1, renamed("x")) })
	until(t, "the first to wait", func() bool { return stats(t, tbl).Mailbox == 1 })
	err := within(t, 30*time.Millisecond, func(ctx context.Context) error { return tbl.Update(ctx, 1, renamed("y")) })
	wantWait(t, "update", err, table.WaitScratch, nil)
	ok(t, tbl.ScratchAbort(t.Context()))
	ok(t, receive(t, "the first", first))
}
