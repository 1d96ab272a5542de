//go:build unix

package lead

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tablecache-go/tablecache/cleanup"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/internal/walk"
	"github.com/tablecache-go/tablecache/table"
)

// standstill is a job that keeps its worker until it is stopped, so that folds behind it stand still.
type standstill chan struct{}

func (standstill) Name() string { return "standstill" }

func (s standstill) Step(ctx context.Context) (done bool, err error) {
	close(s)
	<-ctx.Done()
	return true, nil
}

// stoppedPool returns a pool in which nothing is folded.
func stoppedPool(t *testing.T) *cleanup.Pool {
	t.Helper()
	pool, s := cleanup.NewPool(1), make(standstill)
	_, err := pool.Submit(s)
	ok(t, err)
	<-s
	t.Cleanup(func() { ok(t, pool.Close(context.Background())) })
	return pool
}

// A fleet rolls to a version with another index, an operator takes the table back to the version before and leaves a merge that is not
// folded, and the fleet goes on, with all records.
func TestL1_AFleetRollsAndIsInterrupted(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	lease := WithLease(500 * time.Millisecond)
	next := definition(name)
	next.Indexes = append(next.Indexes, table.By("minus", func(i *item) float64 { return -float64(i.ID) }))
	older := start(t, rdb, name, lease)
	tbl := receive(t, "the older version", older.owns, 10*time.Second)
	for id := range int64(300) {
		ok(t, tbl.Put(t.Context(), item{id}))
	}
	newer := startWith(t, rdb, next, lease, WithTable(table.WithDropping()))
	older.halt(t)
	wantRecords(t, receive(t, "the newer version", newer.owns, 10*time.Second), "minus", 300)

	operator, err := table.Open(t.Context(), rdb, definition(name), table.WithCleanup(stoppedPool(t)))
	ok(t, err)
	ok(t, operator.ScratchPut(t.Context(), item{1000}, item{1}))
	ok(t, operator.ScratchMerge(t.Context()))
	wantRecords(t, operator, "id", 301)
	select {
	case <-newer.owns:
		t.Error("the fleet has undone the operator")
	case <-time.After(time.Second):
	}
	ok(t, operator.Close())
	wantRecords(t, receive(t, "the newer version again", newer.owns, 10*time.Second), "minus", 301)
	newer.halt(t)
	walk.Walk(t, rdb, name, "id", "minus")
}

// wantRecords waits until an index is complete, and wants so many records in it.
func wantRecords(t *testing.T, tbl *items, index string, want int) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		n, err := tbl.Count(t.Context(), tbl.All(index))
		if err == nil && n == want {
			return
		}
		if !errors.Is(err, table.ErrIndexBuilding) || time.Now().After(deadline) {
			t.Fatalf("by %s: got %d, %v, want %d", index, n, err, want)
		}
	}
}
