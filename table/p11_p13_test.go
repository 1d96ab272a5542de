package table_test

import (
	"fmt"
	"testing"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// A table whose rows the server can send, though not a hundred of them at once, is opened, compared and verified: a sample and a
// step of Verify become smaller. A row that it cannot send does not keep the table from being opened.
func TestP11_P13_SamplesAndAuditsFitTheServersLimit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kilobytes, rows int
		readable        bool
	}{{40, 100, true}, {300, 5, true}, {2000, 2, false}} {
		t.Run(fmt.Sprint(c.kilobytes), func(t *testing.T) {
			t.Parallel()
			s, name := redistest.Start(t, redistest.Options{}), redistest.Prefix(t)
			rdb := s.Client(t)
			tbl := openUnwalked(t, rdb, name)
			for i := range c.rows {
				put(t, tbl, large(int64(i), c.kilobytes<<10))
			}
			limitAnswers(t, s, "1mb")
			if c.readable {
				wantOtherScores(t, rdb, name, func(i *item) float64 { return i.At + 1 })
			}
			again := openUnwalked(t, rdb, name)
			if !c.readable {
				return
			}
			for what, call := range map[string]func() (table.Report, error){
				"verify": func() (table.Report, error) { return again.Verify(t.Context()) },
				"repair": func() (table.Report, error) { return again.Repair(t.Context()) },
			} {
				if r, err := call(); err != nil || !r.OK() {
					t.Errorf("%s: %v, %v", what, r, err)
				}
			}
		})
	}
}
