package table_test

import (
	"bufio"
	"fmt"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

const tieItems = 20_000

// openTies has a table of items whose scores by "at" differ and whose scores by "rank" are one and the same.
func openTies(t testing.TB, rdb *redis.Client) *items {
	t.Helper()
	tbl := openOn(t, rdb, redistest.Prefix(t), table.WithPageBytes(16<<10))
	many := numbered(0, tieItems)
	for i := range many {
		many[i].Rank = 7
	}
	put(t, tbl, many...)
	return tbl
}

// commands returns how often each command has run on a server, inside scripts too.
func commands(t testing.TB, rdb *redis.Client) map[string]int {
	t.Helper()
	text, err := rdb.Info(t.Context(), "commandstats").Result()
	ok(t, err)
	calls := make(map[string]int)
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		name, rest, _ := strings.Cut(strings.TrimPrefix(lines.Text(), "cmdstat_"), ":calls=")
		var n int
		if _, err := fmt.Sscan(strings.SplitN(rest, ",", 2)[0], &n); err == nil {
			calls[name] = n
		}
	}
	return calls
}

// All records at one score cost Redis as many commands as records at different ones, and none that skips entries.
func TestG3_TiesArePagedLikeDistinctScores(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	rdb := server.Client(t)
	tbl := openTies(t, rdb)
	work := make(map[string]map[string]int)
	for _, index := range []string{"at", "rank"} {
		for _, s := range []table.Spec[item]{tbl.All(index), tbl.All(index).Reversed(), {Index: index, Intervals: []table.Interval{table.Only(7)}}} {
			if index == "at" && s.Intervals[0] == table.Only(7) {
				continue
			}
			before := commands(t, rdb)
			if n := len(ids(t, tbl, s)); n != tieItems {
				t.Fatalf("%d records, want %d", n, tieItems)
			}
			after := commands(t, rdb)
			for name := range after {
				after[name] -= before[name]
			}
			work[fmt.Sprint(index, s.Reverse, s.Intervals)] = after
		}
	}
	base := work[fmt.Sprint("at", false, tbl.All("at").Intervals)]
	for what, calls := range work {
		for name, n := range calls {
			if want := base[name]; name != "info" && (n > want+want/5+10) {
				t.Errorf("%s: %d calls of %s, by distinct scores %d", what, n, name, want)
			}
		}
	}
	if base["hmget"] < 20 {
		t.Errorf("only %d pages: this shows nothing", base["hmget"])
	}
}

func BenchmarkPages(b *testing.B) {
	tbl := openTies(b, redistest.Shared(b).Client(b))
	for _, index := range []string{"at", "rank"} {
		b.Run(map[string]string{"at": "distinct", "rank": "ties"}[index], func(b *testing.B) {
			for b.Loop() {
				for _, err := range tbl.Records(b.Context(), tbl.All(index)) {
					ok(b, err)
				}
			}
			b.ReportMetric(float64(tieItems*b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// Rows with equal scores cost no more than others: neither puts nor reads take more commands.
func TestU27_EqualScoresCostNoMore(t *testing.T) {
	t.Parallel()
	rdb := redistest.Shared(t).Client(t)
	sent := new(counter)
	rdb.AddHook(sent)
	tbl := openOn(t, rdb, redistest.Prefix(t))
	rows := numbered(0, 6000)
	for i := range rows {
		rows[i].Rank = 7
	}
	put(t, tbl, rows...)
	commands := make(map[string]int64)
	for _, index := range []string{"at", "rank"} {
		before := sent.n.Load()
		if got := ids(t, tbl, tbl.All(index)); len(got) != len(rows) {
			t.Errorf("%d rows by %s", len(got), index)
		}
		commands[index] = sent.n.Load() - before
	}
	if commands["rank"] > 2*commands["at"] {
		t.Errorf("commands for a read: %v", commands)
	}
}
