package table_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/tablecache-go/tablecache/table"
)

// switched is what readers of a table that is merged over and over agree on: the newest generation that any has seen.
type switched struct {
	table  *items
	rows   int
	newest atomic.Int64
	seen   sync.WaitGroup // done when every reader has read once
	end    chan struct{}
}

// observe reads until the end, and fails on a mix of generations, and on one older than any read has seen before it began.
func (s *switched) observe(ctx context.Context, spec table.Spec[item]) error {
	first := sync.OnceFunc(s.seen.Done)
	defer first()
	for {
		before := s.newest.Load()
		generations, n := make(map[float64]bool), 0
		for i, err := range s.table.Records(ctx, spec) {
			if err != nil {
				return err
			}
			generations[i.Rank] = true
			n++
		}
		for g := range generations {
			if len(generations) > 1 || n != s.rows || int64(g) < before {
				return fmt.Errorf("%d rows of generations %v after one of %d", n, generations, before)
			}
			s.raise(int64(g))
		}
		first()
		select {
		case <-s.end:
			return nil
		default:
		}
	}
}

func (s *switched) raise(to int64) {
	for now := s.newest.Load(); now < to && !s.newest.CompareAndSwap(now, to); now = s.newest.Load() {
	}
}

// generation returns the items of a generation, in another order by "at" each time.
func (s *switched) generation(g int) []item {
	made := numbered(0, s.rows)
	for n := range made {
		made[n].Rank, made[n].At = float64(g), float64((n*7+g*13)%s.rows)
	}
	return made
}

func TestG7_AMergeSwitchesAllReadersAtOneInstant(t *testing.T) {
	t.Parallel()
	s := switched{table: openItems(t, smallPages()), rows: 300, end: make(chan struct{})}
	put(t, s.table, s.generation(0)...)
	readers, ctx := errgroup.WithContext(t.Context())
	for _, spec := range []table.Spec[item]{s.table.All("at"), s.table.All("at").Reversed(), s.table.All("rank"),
		s.table.All("at").Where(func(*item) bool { return true })} {
		s.seen.Add(1)
		readers.Go(func() error { return s.observe(ctx, spec) })
	}
	s.seen.Wait()
	for g := range 15 {
		ok(t, s.table.ScratchPut(t.Context(), s.generation(g+1)...))
		ok(t, s.table.ScratchMerge(t.Context()))
		s.raise(int64(g + 1)) // a read that starts now sees it
	}
	close(s.end)
	ok(t, readers.Wait())
	if got := s.newest.Load(); got != 15 {
		t.Errorf("the newest generation seen is %d", got)
	}
}
