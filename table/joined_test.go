package table_test

import (
	"testing"

	"github.com/tablecache-go/tablecache/table"
)

// Deletes that wait together travel in one effect; a key that several of them name is gone once.
func TestG9_ARecordThatManyDeleteAtOnceIsCountedOnce(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 3)...)
	ok(t, tbl.ScratchPut(t.Context(), item{ID: 9}))
	const callers = 5
	counts := make(chan int, callers)
	var done []<-chan error
	for range callers {
		done = append(done, async(t, func() error {
			n, err := tbl.DeleteKeys(t.Context(), 1)
			counts <- n
			return err
		}))
	}
	until(t, "the deletes to wait", func() bool { return stats(t, tbl).Mailbox == callers })
	ok(t, tbl.ScratchAbort(t.Context()))
	total := 0
	for _, d := range done {
		ok(t, receive(t, "a delete", d))
		total += receive(t, "a count", counts)
	}
	if total != 1 {
		t.Errorf("one record was deleted %d times", total)
	}
	wantIDs(t, tbl, table.Spec[item]{Index: "at", Intervals: []table.Interval{table.Everything()}}, 0, 2)
}
