package table_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// behind returns the token of the page that begins with record number depth.
func behind(t testing.TB, tbl *items, s table.Spec[item], depth int) (after table.Token) {
	t.Helper()
	for depth > 0 {
		n := min(depth, 1000)
		_, next, err := tbl.Page(t.Context(), s, after, n)
		ok(t, err)
		after, depth = next, depth-n
	}
	return after
}

// difference returns how often each command has run on the server because of a call.
func difference(t testing.TB, rdb *redis.Client, call func()) map[string]int {
	t.Helper()
	before := commands(t, rdb)
	call()
	after := commands(t, rdb)
	for name := range after {
		after[name] -= before[name]
	}
	return after
}

// With its size a page costs the same at any depth: one round trip, and the server as many commands, ties or not, also when the
// record that the page goes on behind is gone.
func TestR6_APageCostsTheSameAtAnyDepth(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t, redistest.Options{}).Client(t)
	tbl := openTies(t, rdb)
	hook := new(pageHook)
	rdb.AddHook(hook)
	const n = 50
	for _, s := range []table.Spec[item]{tbl.All("at"), tbl.All("rank"), tbl.All("at").Reversed(), tbl.All("rank").Reversed()} {
		var work []map[string]int
		for _, depth := range []int{0, n, tieItems / 2, tieItems - 2*n} {
			after := behind(t, tbl, s, depth)
			hook.hold(nil, nil)
			page := func() {
				records, _, err := tbl.Page(t.Context(), s, after, n)
				ok(t, err)
				if id := records[0].ID; id != int64(depth) && id != int64(tieItems-1-depth) || len(records) != n {
					t.Errorf("%s at %d: got %d records from %d on", s.Index, depth, len(records), id)
				}
			}
			work = append(work, difference(t, rdb, page))
			if answers := hook.answers(); answers != 1 {
				t.Errorf("%s at %d: %d answers", s.Index, depth, answers)
			}
		}
		for i, calls := range work {
			for name, calls := range calls {
				if calls > work[0][name]+2 {
					t.Errorf("%s, page %d: %d calls of %s, %d on the first", s.Index, i, calls, name, work[0][name])
				}
			}
		}
	}
	wantCheapWithoutItsRecord(t, rdb, tbl)
}

// wantCheapWithoutItsRecord deletes the record that a page goes on behind: the place is found among 20,000 ties by halving.
func wantCheapWithoutItsRecord(t *testing.T, rdb *redis.Client, tbl *items) {
	t.Helper()
	after := behind(t, tbl, tbl.All("rank"), tieItems/2)
	_, err := tbl.DeleteKeys(t.Context(), tieItems/2-1)
	ok(t, err)
	calls := difference(t, rdb, func() {
		records, _, err := tbl.Page(t.Context(), tbl.All("rank"), after, 5)
		ok(t, err)
		if got := keysOf(records); !slices.Equal(got, []int64{tieItems / 2, tieItems/2 + 1, tieItems/2 + 2, tieItems/2 + 3, tieItems/2 + 4}) {
			t.Errorf("got %v", got)
		}
	})
	if calls["zrange"] > 20 || calls["evalsha"] != 1 {
		t.Errorf("calls: %v", calls)
	}
}

// A page of 1,000 records is one answer, although one more shows whether it is the last.
func TestR6_APageOfAThousandRecordsIsOneAnswer(t *testing.T) {
	t.Parallel()
	rdb, hook := hooked(t)
	tbl := openOn(t, rdb, redistest.Prefix(t))
	put(t, tbl, numbered(0, 2000)...)
	after := table.Token("")
	for page := range 2 {
		hook.hold(nil, nil)
		records, next, err := tbl.Page(t.Context(), tbl.All("at"), after, 1000)
		ok(t, err)
		if answers := hook.answers(); answers != 1 || len(records) != 1000 || (next == "") != (page == 1) {
			t.Errorf("page %d: %d records in %d answers, %q", page, len(records), answers, next)
		}
		after = next
	}
}

func BenchmarkPage(b *testing.B) {
	const records = 120_000
	tbl := openOn(b, redistest.Shared(b).Client(b), redistest.Prefix(b))
	for from := 0; from < records; from += 10_000 {
		put(b, tbl, numbered(from, from+10_000)...) // about 40,000 ties at each rank
	}
	for _, n := range []int{50, 1000} {
		for _, index := range []string{"at", "rank"} {
			for _, depth := range []int{0, 100_000} {
				after := behind(b, tbl, tbl.All(index), depth)
				b.Run(fmt.Sprintf("n=%d/%s/depth=%d", n, index, depth), func(b *testing.B) {
					for b.Loop() {
						_, _, err := tbl.Page(b.Context(), tbl.All(index), after, n)
						ok(b, err)
					}
				})
			}
		}
		b.Run(fmt.Sprintf("n=%d/records", n), func(b *testing.B) {
			for b.Loop() {
				_, err := table.Collect(tbl.Records(b.Context(), tbl.All("at").Max(n)))
				ok(b, err)
			}
		})
	}
}
