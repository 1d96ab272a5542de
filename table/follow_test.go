package table_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// TestF4_AFollowerIsRightAtEachPosition does random things to tables, and compares a follower with the model at each position.
func TestF4_AFollowerIsRightAtEachPosition(t *testing.T) {
	t.Parallel()
	seed := *modelSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	for n := range uint64(6) {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			t.Logf("go test ./table -run %s -model.seed %d", t.Name(), seed)
			r := newRandom(t, seed+n)
			for range 10 {
				r.step()
			}
			c, h := newTwin(), make(history)
			follow(t, redistest.Shared(t).Client(t), r.table.Name(), c, table.WithPageBytes(1+r.IntN(3000)), table.WithProofEvery(10*time.Millisecond))
			for range 10 {
				for range 15 {
					r.step()
					h[r.table.Position()] = r.visible()
				}
				c.untilAt(t, r.table.Position())
				c.wantNote(t, r.model.Note)
			}
			if compared := h.compare(t, c); compared < 5 {
				t.Errorf("only %d positions were compared", compared)
			}
		})
	}
}

// TestF3_AMergeOfWhatWasNotToldIsCopied stages more than the feed may hold: the follower copies the table after the merge.
func TestF3_AMergeOfWhatWasNotToldIsCopied(t *testing.T) {
	t.Parallel()
	tbl := openItems(t, table.WithFeed(20_000))
	put(t, tbl, numbered(0, 50)...)
	c := newTwin()
	follow(t, redistest.Shared(t).Client(t), tbl.Name(), c)
	c.untilAt(t, tbl.Position())
	for i := range 20 {
		ok(t, tbl.ScratchPut(t.Context(), numbered(100*i, 100*i+100)...))
	}
	ok(t, tbl.ScratchMerge(t.Context()))
	want := history{tbl.Position(): numbered(0, 2000)}
	c.untilAt(t, tbl.Position())
	if want.compare(t, c) != 1 || c.copies < 2 {
		t.Errorf("%d copies", c.copies)
	}
}

// TestF5_WhoFallsBehindCopiesAnew holds a follower up while the feed forgets what it has not read.
func TestF5_WhoFallsBehindCopiesAnew(t *testing.T) {
	t.Parallel()
	tbl := openItems(t, table.WithFeed(2_000))
	put(t, tbl, numbered(0, 10)...)
	c := newTwin()
	slow := &held{twin: c, at: make(chan struct{}), release: make(chan struct{})}
	follow(t, redistest.Shared(t).Client(t), tbl.Name(), slow)
	c.untilAt(t, tbl.Position())
	slow.hold.Store(true)
	put(t, tbl, numbered(0, 1)...)
	receive(t, "the follower to be held up", slow.at)
	for i := range 100 {
		put(t, tbl, numbered(i, i+20)...)
	}
	slow.hold.Store(false)
	close(slow.release)
	want := history{tbl.Position(): numbered(0, 119)}
	c.untilAt(t, tbl.Position())
	if want.compare(t, c) != 1 || c.copies < 2 {
		t.Errorf("%d copies", c.copies)
	}
}

// TestF4_AFollowerGoesOnOverOwnersAndLosses: a take-over with a session left behind, a reset, FLUSHALL with a new table under the
// same counter.
func TestF4_AFollowerGoesOnOverOwnersAndLosses(t *testing.T) {
	t.Parallel()
	s, name := redistest.Start(t, redistest.Options{}), redistest.Prefix(t)
	rdb := s.Client(t)
	first := openOn(t, rdb, name)
	put(t, first, numbered(0, 20)...)
	c, h := newTwin(), make(history)
	follow(t, rdb, name, c, table.WithProofEvery(20*time.Millisecond))
	c.untilAt(t, first.Position())
	ok(t, first.ScratchPut(t.Context(), numbered(50, 60)...))

	second := openOn(t, rdb, name)
	put(t, second, numbered(20, 30)...)
	ok(t, second.Apply(t.Context(), batch{Delete: []int64{500}, Note: []byte("second")}))
	h[second.Position()] = numbered(0, 30)
	c.untilAt(t, second.Position())
	c.wantNote(t, []byte("second"))
	if c.copies != 1 {
		t.Errorf("%d copies over a take-over", c.copies)
	}

	third := openOn(t, rdb, name, table.WithReset())
	put(t, third, numbered(5, 8)...)
	h[third.Position()] = numbered(5, 8)
	c.untilAt(t, third.Position())
	c.wantNote(t, nil)

	ok(t, rdb.FlushAll(t.Context()).Err())
	var fourth *items
	for range 3 { // the counter of the third owner
		fourth = openOn(t, rdb, name)
	}
	put(t, fourth, numbered(70, 75)...)
	h[fourth.Position()] = numbered(70, 75)
	c.untilAt(t, fourth.Position())
	if compared := h.compare(t, c); compared != len(h) {
		t.Errorf("%d of %d positions compared", compared, len(h))
	}
}

func TestFollowEndsWithErrorsThatWaitingCannotCure(t *testing.T) {
	t.Parallel()
	s, name := redistest.Shared(t), redistest.Prefix(t)
	rdb := s.Client(t)
	if err := table.Follow(t.Context(), rdb, itemDefinition(name), newTwin()); !errors.Is(err, table.ErrNoTable) {
		t.Errorf("no table: got %v", err)
	}
	tbl := openOn(t, rdb, name, table.WithFeed(0))
	if err := table.Follow(t.Context(), rdb, itemDefinition(name), newTwin()); !errors.Is(err, table.ErrNoFeed) {
		t.Errorf("no feed: got %v", err)
	}
	ok(t, tbl.Close())
	tbl = openOn(t, rdb, name)
	other := itemDefinition(name)
	other.Attributes[0] = table.Field("id", codec.IntAsString, itemID)
	if err := table.Follow(t.Context(), rdb, other, newTwin()); !errors.Is(err, table.ErrSchemaMismatch) {
		t.Errorf("another schema: got %v", err)
	}
	own := errors.New("enough")
	if err := table.Follow(t.Context(), rdb, itemDefinition(name), &unwilling{newTwin(), own}); !errors.Is(err, own) {
		t.Errorf("the follower's error: got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	c := newTwin()
	ended := make(chan error, 1)
	go func() { ended <- table.Follow(ctx, rdb, itemDefinition(name), c) }()
	c.untilAt(t, tbl.Position())
	cancel()
	if err := receive(t, "the end of Follow", ended); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}

// TestF7_AFollowersCopyIsMadeWhole: rows are deleted and moved between the pages of a copy, most of them behind it.
func TestF7_AFollowersCopyIsMadeWhole(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl := openOn(t, rdb, name)
	put(t, tbl, numbered(0, 300)...)
	var mu sync.Mutex // guards n and failed
	n, failed := 0, error(nil)
	own := redistest.Shared(t).Client(t)
	own.AddHook(&before{do: func() {
		mu.Lock()
		defer mu.Unlock()
		if n < 30 && failed == nil {
			_, failed = tbl.DeleteKeys(t.Context(), int64(n))
			n++
		}
	}})
	c := newTwin()
	follow(t, own, name, c, table.WithPageBytes(1000))
	c.until(t, "all deletes", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return (n == 30 || failed != nil) && c.at == tbl.Position()
	})
	ok(t, failed)
	h := history{tbl.Position(): numbered(30, 300)}
	if h.compare(t, c) != 1 {
		t.Error("not in step")
	}
}

// TestF4_WhereTheFeedWasDeleted: a follower begins, and goes on by copies.
func TestF4_WhereTheFeedWasDeleted(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl := openOn(t, rdb, name)
	put(t, tbl, numbered(0, 5)...)
	ok(t, rdb.Del(t.Context(), name+":f").Err())
	c, h := newTwin(), history{tbl.Position(): numbered(0, 5)}
	follow(t, rdb, name, c, table.WithProofEvery(10*time.Millisecond))
	c.untilAt(t, tbl.Position())
	put(t, tbl, numbered(5, 9)...)
	h[tbl.Position()] = numbered(0, 9)
	c.untilAt(t, tbl.Position())
	ok(t, rdb.Del(t.Context(), name+":f").Err())
	put(t, tbl, numbered(9, 12)...)
	h[tbl.Position()] = numbered(0, 12)
	c.untilAt(t, tbl.Position())
	if compared := h.compare(t, c); compared != len(h) {
		t.Errorf("%d of %d positions compared", compared, len(h))
	}
}

// TestF1_AnEmptyFeedThatRemembersAHighNumberIsReplaced: somebody has trimmed it, and the table's numbers have begun anew.
func TestF1_AnEmptyFeedThatRemembersAHighNumberIsReplaced(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	ok(t, rdb.XAdd(t.Context(), &redis.XAddArgs{Stream: name + ":f", ID: "900-1", Values: []string{"a", "b"}}).Err())
	ok(t, rdb.XTrimMaxLen(t.Context(), name+":f", 0).Err())
	tbl := openOn(t, rdb, name, table.WithReset())
	put(t, tbl, numbered(0, 5)...)
	again := openOn(t, rdb, name)
	put(t, again, numbered(5, 6)...)
	wantIDs(t, again, again.All("at"), 0, 1, 2, 3, 4, 5)
}

// TestFollowWaitsForATable: with WithWait it waits, and later it always does.
func TestFollowWaitsForATable(t *testing.T) {
	t.Parallel()
	s, name := redistest.Shared(t), redistest.Prefix(t)
	rdb := s.Client(t)
	c := newTwin()
	follow(t, rdb, name, c, table.WithWait(), table.WithProofEvery(10*time.Millisecond))
	tbl := openOn(t, rdb, name)
	put(t, tbl, numbered(0, 3)...)
	c.untilAt(t, tbl.Position())
	ok(t, tbl.Close())
	ok(t, table.Drop(t.Context(), rdb, name))
	tbl = openOn(t, rdb, name)
	put(t, tbl, numbered(7, 9)...)
	h := history{tbl.Position(): numbered(7, 9)}
	c.untilAt(t, tbl.Position())
	h.compare(t, c)
}

// TestWithWaitWaitsForARedisThatIsAway, too; without it whoever opens is told.
func TestWithWaitWaitsForARedisThatIsAway(t *testing.T) {
	t.Parallel()
	s, name := redistest.Start(t, redistest.Options{}), redistest.Prefix(t)
	rdb := s.TCPClient(t, func(o *redis.Options) { o.MaxRetries, o.DialerRetries = -1, 1 })
	s.Kill(t)
	if _, err := table.OpenReader(t.Context(), rdb, itemDefinition(name)); err == nil || errors.Is(err, table.ErrNoTable) {
		t.Errorf("without WithWait: got %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := table.OpenReader(ctx, rdb, itemDefinition(name), table.WithWait()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("until its context ends: got %v", err)
	}
	opened := async(t, func() error {
		r, err := table.OpenReader(t.Context(), rdb, itemDefinition(name), table.WithWait())
		if err == nil {
			err = r.Close()
		}
		return err
	})
	c := newTwin()
	follow(t, rdb, name, c, table.WithWait())
	s.Restart(t)
	tbl := openOn(t, s.Client(t), name)
	put(t, tbl, numbered(0, 3)...)
	ok(t, receive(t, "a reader", opened))
	c.untilAt(t, tbl.Position())
}

// TestAFollowerProvesItsAge: what was acknowledged before a proof is shown.
func TestAFollowerProvesItsAge(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	c := newTwin()
	follow(t, redistest.Shared(t).Client(t), tbl.Name(), c, table.WithProofEvery(5*time.Millisecond))
	for i := range 20 {
		put(t, tbl, numbered(i, i+1)...)
		written, want := time.Now(), tbl.Position()
		c.until(t, "a proof", func() bool {
			if c.proven.After(written) && c.at != want {
				t.Errorf("proven %v after it was written, and at %v instead of %v", c.proven.Sub(written), c.at, want)
				return true
			}
			return c.proven.After(written)
		})
	}
}
