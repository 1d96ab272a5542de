package table_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// A first page that a write has made stale is read again under a pin. If that page comes when the pin has expired and the
// fold has begun, it is a mix of two generations.
func TestG3_AFirstPageThatArrivesAfterItsPinHasExpiredIsThrownAway(t *testing.T) {
	t.Parallel()
	rdb, hook := hooked(t)
	brake := newBrake(t)
	tbl := openOn(t, rdb, redistest.Prefix(t), smallPages(), table.WithCleanup(brake.pool), table.WithSnapshotGrace(time.Millisecond))
	put(t, tbl, numbered(0, 1000)...)
	first, again := newStop(), newStop()
	hook.hold(
		func(n int) {
			if n == 2 {
				again.wait()
			}
		},
		func(n int) {
			if n == 1 {
				first.wait()
			}
		})
	var got []item
	done := async(t, func() error {
		for r, err := range tbl.Records(t.Context(), tbl.All("at")) {
			if err != nil {
				return err
			}
			got = append(got, r)
		}
		return nil
	})
	receive(t, "the first page", first.reached)
	put(t, tbl, item{ID: 5000, At: 50000})
	close(first.leave)
	receive(t, "the second request", again.reached)
	fresh := numbered(0, 1000)
	slices.Reverse(fresh)
	for i := range fresh {
		fresh[i].Name, fresh[i].At = "fresh", float64(10*i)
	}
	ok(t, tbl.ScratchPut(t.Context(), fresh...))
	merge(t, tbl)
	until(t, "the pin to expire", func() bool { return stats(t, tbl).Pins == 0 })
	brake.turnUntilHalf(t, tbl)
	close(again.leave)
	if err := receive(t, "the read", done); !errors.Is(err, table.ErrSnapshotExpired) {
		t.Errorf("got %v, want ErrSnapshotExpired", err)
	}
	if len(got) > 0 {
		t.Errorf("%d records of a page that is of no moment, the first is %q", len(got), got[0].Name)
	}
}
