package mirror_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/mirror"
	"github.com/tablecache-go/tablecache/table"
)

// TestM3_AfterWaitForAWriteIsShown, whether the mirror has seen it or must ask.
func TestM3_AfterWaitForAWriteIsShown(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	m := mirrorOf(t, tbl)
	for i := range 300 {
		put(t, tbl, item{ID: 1, Name: "n", At: float64(i)})
		ok(t, m.WaitFor(t.Context(), tbl.Position()))
		if got, err := m.Get(t.Context(), 1); err != nil || got.At != float64(i) {
			t.Fatalf("after write %d: %v, %v", i, got, err)
		}
	}
	ok(t, m.WaitFor(t.Context(), table.Position{}))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := m.WaitFor(ctx, ahead(t, tbl)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a position that does not come: got %v", err)
	}
}

// TestM3_APositionThatAMirrorHasNotPassedIsAskedFor: one from before its copy, and one of a reader between two effects.
func TestM3_APositionThatAMirrorHasNotPassedIsAskedFor(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 3)...)
	early := tbl.Position()
	put(t, tbl, numbered(3, 5)...)
	m := mirrorOf(t, tbl, mirror.WithMaxAge(time.Second))
	ok(t, m.WaitFor(t.Context(), early))
	put(t, tbl, numbered(5, 6)...)
	ok(t, m.WaitFor(t.Context(), early))
	other, err := table.ParsePosition("77:0000000000000001/5")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := m.WaitFor(ctx, other); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a later owner: got %v", err)
	}
	lost, err := table.ParsePosition("1:0000000000000001/5")
	if err != nil {
		t.Fatal(err)
	}
	if err := m.WaitFor(t.Context(), lost); !errors.Is(err, table.ErrLost) {
		t.Errorf("another line: got %v", err)
	}
}

func TestM1_ASnapshotStaysAndKnowsWhatItShows(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl := openOn(t, rdb, name)
	put(t, tbl, numbered(0, 3)...)
	m := mirrorOn(t, rdb, name)
	first := tbl.Position()
	put(t, tbl, numbered(3, 5)...)
	catchUp(t, m, tbl)
	s, shown := m.Snapshot(), tbl.Position()
	put(t, tbl, numbered(1, 9)...)
	ok(t, tbl.Clear(t.Context()))
	catchUp(t, m, tbl)
	wantItems(t, "the snapshot", all(t, s.Records(t.Context(), s.All("at"))), numbered(0, 5))
	for _, p := range []table.Position{{}, first, shown} {
		if err := s.WaitFor(t.Context(), p); err != nil {
			t.Errorf("%v: %v", p, err)
		}
	}
	for _, p := range []table.Position{tbl.Position(), ahead(t, tbl)} {
		if err := s.WaitFor(t.Context(), p); !errors.Is(err, table.ErrStale) {
			t.Errorf("%v: got %v", p, err)
		}
	}
}

// TestM3_UntilSeesEveryMomentThatIsShownLast, ends with its context, and says when the mirror is closed.
func TestM3_UntilSeesEveryMomentThatIsShownLast(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	m := mirrorOf(t, tbl)
	has := func(id int64) func(*mirror.Snapshot[item, int64]) bool {
		return func(s *mirror.Snapshot[item, int64]) bool {
			_, err := s.Get(t.Context(), id)
			return err == nil
		}
	}
	shown := make(chan error, 1)
	go func() { shown <- m.Until(t.Context(), has(1)) }()
	put(t, tbl, item{ID: 1, Name: "n"})
	ok(t, receive(t, "what was put", shown))
	ok(t, m.Until(t.Context(), has(1)))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := m.Until(ctx, has(2)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("what does not come: got %v", err)
	}
	go func() { shown <- m.Until(t.Context(), has(2)) }()
	ok(t, m.Close())
	if err := receive(t, "the end", shown); !errors.Is(err, table.ErrClosed) {
		t.Errorf("a closed mirror: got %v", err)
	}
}
