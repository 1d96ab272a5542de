package table_test

import (
	"errors"
	"testing"

	"github.com/tablecache-go/tablecache/table"
)

// Close waits for no consumer, whether a read's pages are still being fetched or all lie in memory.
func TestG13_CloseInsideAReadLoopEndsTheRead(t *testing.T) {
	t.Parallel()
	for name, hurried := range map[string]bool{"in memory": true, "under way": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tbl := openItems(t, smallPages())
			put(t, tbl, numbered(0, 2000)...)
			done := async(t, func() (last error) {
				seen := 0
				for _, err := range tbl.Records(t.Context(), tbl.All("at")) {
					if last, seen = err, seen+1; seen > 1 {
						continue
					}
					if hurried {
						put(t, tbl, item{ID: -1}) // returns when the rest of the read is in memory
					}
					ok(t, tbl.Close())
				}
				return last
			})
			if err := receive(t, "the read", done); !errors.Is(err, table.ErrClosed) {
				t.Errorf("got %v, want ErrClosed", err)
			}
		})
	}
}
