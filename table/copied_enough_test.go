package table_test

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
	"github.com/tablecache-go/tablecache/table/internal/scan"
)

// spied is a reader of many items. meanwhile is done before each pipeline or command, all of which are counted.
type spied struct {
	*itemReader
	tbl       *items
	meanwhile func()
	sent      int
}

func newSpied(t *testing.T, n int, opts ...table.Option) *spied {
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	w := &spied{tbl: openOn(t, rdb, name), meanwhile: func() {}}
	put(t, w.tbl, numbered(0, n)...)
	own := redistest.Shared(t).Client(t)
	w.itemReader = openReader(t, own, name, append(opts, table.WithPageBytes(400))...)
	own.AddHook(&before{do: func() {
		w.sent++
		w.meanwhile()
	}})
	return w
}

// A reader's read with a predicate and a limit ends its copy as soon as that has the answer.
func TestR3_APredicateAndALimitEndTheCopy(t *testing.T) {
	t.Parallel()
	const all = 5000
	from := func(id int64) func(*item) bool { return func(i *item) bool { return i.ID >= id } }
	for what, meanwhile := range map[string]func(w *spied) func(){
		"still": func(*spied) func() { return func() {} },
		"moving": func(w *spied) func() { // the table changes before each command, outside and inside of what is read
			n := 0
			return func() {
				n++
				put(t, w.tbl, item{ID: int64(all + n), Name: "late", At: 10 * all}, item{ID: 0, Name: "n0", Rank: float64(n)})
			}
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			w := newSpied(t, all)
			w.meanwhile = meanwhile(w)
			s := w.All("at")
			s.Recheck = from(200)
			first, err := w.First(t.Context(), s)
			ok(t, err)
			if first.ID != 200 || w.sent > 700 { // all of it takes some thousand
				t.Errorf("the first is %d, after %d commands", first.ID, w.sent)
			}
			w.sent, s.Limit = 0, 50
			got, err := table.Collect(w.Records(t.Context(), s))
			ok(t, err)
			want := numbered(200, 250)
			for i := range got {
				if len(got) != len(want) || got[i].ID != want[i].ID {
					t.Fatalf("got %d records, and %d as number %d", len(got), got[i].ID, i)
				}
			}
			if len(got) != len(want) || w.sent > 700 {
				t.Errorf("%d records, after %d commands", len(got), w.sent)
			}
		})
	}
}

// A read that is enough judges each record once, and none behind the last one of the answer.
func TestR3_EachRecordOfAStillTableIsJudgedOnce(t *testing.T) {
	t.Parallel()
	w := newSpied(t, 2000)
	judged := map[int64]int{}
	s := w.All("at")
	s.Limit, s.Recheck = 100, func(i *item) bool { judged[i.ID]++; return i.ID%3 == 0 }
	got, err := table.Collect(w.Records(t.Context(), s))
	ok(t, err)
	for id, n := range judged {
		if n > 1 || id > got[len(got)-1].ID {
			t.Errorf("%d was judged %d times", id, n)
		}
	}
	if len(got) != 100 || len(judged) != 298 {
		t.Errorf("%d records of %d", len(got), len(judged))
	}
}

// A table that stays as it is is read by ranks: one script for the first page, then one pipeline for each page, without scores.
func TestR3_AStillTableIsReadByRanks(t *testing.T) {
	t.Parallel()
	_, k := newLong(t, 900, scan.Config{PageBytes: 400, Memory: roomy})
	pages, names := 0, map[string]int{}
	k.hook.sent = func(cmds []redis.Cmder) {
		pages++
		for _, cmd := range cmds {
			names[cmd.Name()]++
		}
	}
	s := table.Spec[item]{Index: "at", Intervals: []table.Interval{table.Everything()}}
	k.read(s, func() {}) // after which it is known how large the rows are
	pages = 0
	clear(names)
	a := k.read(s, func() {})
	wantRead(t, a, numbered(0, 900))
	if names["evalsha_ro"]+names["evalsha"] > 1 || names["zscore"]+names["zmscore"]+names["xrange"] > 0 || pages > len(a.moments)+3 {
		t.Errorf("%d pipelines for %d pages, %v", pages, len(a.moments), names)
	}
}
