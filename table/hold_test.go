package table_test

import (
	"context"
	"testing"

	"github.com/tablecache-go/tablecache/cleanup"
	"github.com/tablecache-go/tablecache/table"
)

// brake is a cleanup pool of one worker that a job of the test occupies: folds in it stand still.
type brake struct {
	pool *cleanup.Pool
	now  *block
}

// block is a job that occupies its worker until it is let go.
type block struct{ running, release chan struct{} }

func (*block) Name() string { return "brake" }

func (b *block) Step(ctx context.Context) (done bool, err error) {
	close(b.running)
	select {
	case <-b.release:
	case <-ctx.Done():
	}
	return true, nil
}

func newBrake(t testing.TB) *brake {
	t.Helper()
	b := &brake{pool: cleanup.NewPool(1)}
	t.Cleanup(func() { ok(t, b.pool.Close(context.Background())) })
	b.press(t)
	return b
}

// press submits a block; it returns, when nothing runs before it, once that occupies the worker.
func (b *brake) press(t testing.TB) {
	t.Helper()
	before := b.now
	b.now = &block{running: make(chan struct{}), release: make(chan struct{})}
	_, err := b.pool.Submit(b.now)
	ok(t, err)
	if before != nil {
		close(before.release)
	}
	receive(t, "the worker", b.now.running)
}

// turn lets whatever waits in the pool have at most one step.
func (b *brake) turn(t testing.TB) {
	t.Helper()
	b.press(t)
}

// release lets the folds run.
func (b *brake) release() { close(b.now.release) }

// openBraked opens a table whose folds stand still until the brake is released, at the latest when the test ends.
func openBraked(t testing.TB, opts ...table.Option) (*items, *brake) {
	t.Helper()
	b := newBrake(t)
	return openItems(t, append(opts, table.WithCleanup(b.pool))...), b
}

// merge merges what is staged and expects the fold to stand still.
func merge(t testing.TB, tbl *items) {
	t.Helper()
	ok(t, tbl.ScratchMerge(t.Context()))
	wantState(t, tbl, table.StateMerging)
}

// turnUntilHalf lets the fold begin but not end.
func (b *brake) turnUntilHalf(t testing.TB, tbl *items) {
	t.Helper()
	for all := stats(t, tbl).Staged; ; b.turn(t) {
		switch now := stats(t, tbl).Staged; {
		case now == 0:
			t.Fatal("the fold is done")
		case now < all:
			return
		}
	}
}

// waiting waits until so many writes wait for the table's lock.
func waiting(t testing.TB, tbl *items, n int) {
	t.Helper()
	until(t, "writes to wait", func() bool { return stats(t, tbl).Mailbox == n })
}
