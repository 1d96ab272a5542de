package pg

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tablecache-go/tablecache/internal/pgtest"
	"github.com/tablecache-go/tablecache/table"
)

type tag = pgconn.CommandTag

const byPrice = "SELECT id, price FROM flights WHERE price >= $1 AND price < $2 ORDER BY id"

func newSource(pool *pgxpool.Pool, sql string, opts ...SourceOption) *Source[flight] {
	return NewSource(pool, pgx.RowToStructByPos[flight], map[string]Query{"price": {SQL: sql}}, opts...)
}

// ids collects what a source yields.
func ids(seq iter.Seq2[flight, error]) (all []int64, err error) {
	records, err := table.Collect(seq)
	for _, r := range records {
		all = append(all, r.ID)
	}
	return all, err
}

func wantIDs(t *testing.T, seq iter.Seq2[flight, error], want ...int64) {
	t.Helper()
	if got, err := ids(seq); err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
}

// An interval of a Fetch holds what table.Interval says.
func TestFetchReadsIntervals(t *testing.T) {
	t.Parallel()
	inf := math.Inf(1)
	pool := newFlights(t, 5)
	exec(t, pool, "INSERT INTO flights VALUES (6, '-Infinity'), (7, 'Infinity'), (8, 'NaN')")
	simple := pool.Config().ConnString()
	pools := map[string]*pgxpool.Pool{"prepared": pool, "simple": poolOn(t, simple, func(c *pgxpool.Config) {
		c.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	})}
	for mode, pool := range pools {
		for column, sql := range map[string]string{"float8": byPrice, "numeric": strings.ReplaceAll(byPrice, "price >", "price::numeric >")} {
			t.Run(mode+" "+column, func(t *testing.T) {
				s := newSource(pool, sql, WithRows(2))
				for _, c := range []struct {
					in   []table.Interval
					want []int64
				}{
					{[]table.Interval{{GE: 2, LT: 4}}, []int64{2, 3}},
					{[]table.Interval{{GE: 4, LT: 5}, {GE: 1, LT: 2}}, []int64{4, 1}},
					{[]table.Interval{{GE: -inf, LT: 2}}, []int64{1, 6}},
					{[]table.Interval{{GE: 5, LT: inf}}, []int64{5, 7}},
					{[]table.Interval{{GE: inf, LT: inf}}, []int64{7}},
					{[]table.Interval{table.Only(3)}, []int64{3}},
					{[]table.Interval{table.Everything()}, []int64{1, 2, 3, 4, 5, 6, 7}},
					{[]table.Interval{{GE: 3, LT: 3}}, nil},
					{nil, nil},
				} {
					wantIDs(t, s.Fetch(t.Context(), "price", c.in), c.want...)
				}
			})
		}
	}
}

func TestFetchOfAnUnknownIndex(t *testing.T) {
	t.Parallel()
	_, err := ids(newSource(nil, "").Fetch(t.Context(), "rank", nil))
	if !errors.Is(err, table.ErrUnknownIndex) {
		t.Error(err)
	}
}

// C8: all intervals are of one moment, which begins when the loop does, not before.
func TestAFetchIsOfOneMoment(t *testing.T) {
	t.Parallel()
	pool := newFlights(t, 4)
	seq := newSource(pool, byPrice, WithRows(1)).Fetch(t.Context(), "price", []table.Interval{{GE: 1, LT: 3}, {GE: 3, LT: 9}})
	exec(t, pool, "INSERT INTO flights VALUES (5, 5)")
	var got []int64
	for r, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == 0 {
			exec(t, pool, "DELETE FROM flights WHERE id = 3")
			exec(t, pool, "UPDATE flights SET price = 1 WHERE id = 4")
		}
		got = append(got, r.ID)
	}
	if want := []int64{1, 2, 3, 4, 5}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	wantIDs(t, seq, 1, 2, 4, 5)
}

func TestFetchKeys(t *testing.T) {
	t.Parallel()
	pool := newFlights(t, 2500)
	s := newSource(pool, byPrice)
	keyed := Keyed[int64](s, "SELECT id, price FROM flights WHERE id = ANY($1) ORDER BY id")
	wantIDs(t, keyed.FetchKeys(t.Context(), []int64{7, 9999, 3}), 3, 7)
	wantIDs(t, keyed.FetchKeys(t.Context(), nil))
	many := make([]int64, 2500)
	for i := range many {
		many[i] = int64(i + 1)
	}
	wantIDs(t, keyed.FetchKeys(t.Context(), many), many...)
	type place struct{ row, seat int }
	by := KeyedBy(s, "SELECT id, price FROM flights WHERE id || '-' || price = ANY($1) ORDER BY id", func(p place) string {
		return fmt.Sprint(p.row, "-", p.seat)
	})
	wantIDs(t, by.FetchKeys(t.Context(), []place{{4, 4}, {5, 6}, {6, 6}}), 4, 6)
}

// Whoever leaves the loop gives the connection back, in order.
func TestBreakGivesTheConnectionBack(t *testing.T) {
	t.Parallel()
	url := newFlights(t, 100).Config().ConnString()
	pool := poolOn(t, url, func(c *pgxpool.Config) { c.MaxConns = 1 })
	pid := one[int](t, pool, "SELECT pg_backend_pid()")
	for range newSource(pool, byPrice, WithRows(10)).Fetch(t.Context(), "price", []table.Interval{table.Everything()}) {
		break
	}
	if n := pool.Stat().AcquiredConns(); n != 0 {
		t.Errorf("%d connections are taken", n)
	}
	if now := one[int](t, pool, "SELECT pg_backend_pid()"); now != pid {
		t.Error("the connection was thrown away")
	}
}

// slow selects flights and takes an hour for the second.
const slow = "SELECT id, price FROM flights WHERE price >= $1 AND price < $2 AND (id = 1 OR pg_sleep(3600) IS NOT NULL)"

func TestCancelEndsAFetchAtOnce(t *testing.T) {
	t.Parallel()
	pool := newFlights(t, 2)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got []int64
	for r, err := range newSource(pool, slow, WithRows(1)).Fetch(ctx, "price", []table.Interval{table.Everything()}) {
		if err != nil {
			if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			break
		}
		got = append(got, r.ID)
		time.AfterFunc(20*time.Millisecond, cancel)
	}
	if !slices.Equal(got, []int64{1}) || ctx.Err() == nil {
		t.Errorf("got %v before the end, %v", got, ctx.Err())
	}
	wantIDs(t, newSource(pool, byPrice).Fetch(t.Context(), "price", []table.Interval{table.Everything()}), 1, 2)
}

func TestStatementTimeout(t *testing.T) {
	t.Parallel()
	pool := newFlights(t, 2)
	got, err := ids(newSource(pool, slow, WithRows(1), WithStatementTimeout(50*time.Millisecond)).Fetch(t.Context(), "price", []table.Interval{table.Everything()}))
	if e := (*pgconn.PgError)(nil); !errors.As(err, &e) || e.Code != "57014" {
		t.Errorf("%v, want query_canceled", err)
	}
	if !slices.Equal(got, []int64{1}) {
		t.Errorf("before the error: %v", got)
	}
	if left := one[string](t, pool, "SHOW statement_timeout"); left != "0" {
		t.Errorf("the time-out stays behind: %s", left)
	}
}

func TestErrorsEndTheSequence(t *testing.T) {
	t.Parallel()
	pool := newFlights(t, 30)
	bad := errors.New("bad row")
	scan := func(row pgx.CollectableRow) (f flight, err error) {
		if err = row.Scan(&f.ID, &f.Price); f.ID == 15 {
			err = bad
		}
		return f, err
	}
	queries := map[string]Query{"price": {SQL: byPrice}, "syntax": {SQL: "SELECTED"}, "write": {SQL: "DELETE FROM flights"}}
	s := NewSource(pool, scan, queries, WithRows(10))
	for index := range queries {
		var last error
		n := 0
		for _, err := range s.Fetch(t.Context(), index, []table.Interval{table.Everything(), table.Only(1)}) {
			if last != nil {
				t.Errorf("%s: something comes after an error", index)
			}
			if last = err; err == nil {
				n++
			}
		}
		if last == nil || index == "price" && (!errors.Is(last, bad) || n != 10) {
			t.Errorf("%s: %v after %d", index, last, n)
		}
	}
}

// U35: a source that fails in the middle is not taken for one that is at its end.
func TestAServerThatEndsIsAnError(t *testing.T) {
	t.Parallel()
	own := pgtest.Start(t)
	pool := poolOn(t, own.Database(t), nil)
	fill(t, pool, 50)
	s := newSource(pool, byPrice, WithRows(10))
	n, last := 0, error(nil)
	for _, err := range s.Fetch(t.Context(), "price", []table.Interval{table.Everything()}) {
		if last = err; err == nil {
			n++
		}
		if n == 10 && err == nil {
			own.Kill(t)
		}
	}
	if n != 10 || last == nil {
		t.Errorf("%d records, then %v", n, last)
	}
	if _, err := ids(s.Fetch(t.Context(), "price", nil)); err == nil {
		t.Error("a fetch of nothing from a dead server says that there is nothing")
	}
	own.Restart(t)
	pool.Reset() // of connections that are dead
	if got, err := ids(s.Fetch(t.Context(), "price", []table.Interval{table.Everything()})); err != nil || len(got) != 50 {
		t.Errorf("after a restart: %d, %v", len(got), err)
	}
}
