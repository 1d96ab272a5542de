package pg

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/tablecache-go/tablecache/table"
)

// A column of times selects what Interval.Contains says of the scores.
func TestTimeIsTheFirstInTheInterval(t *testing.T) {
	t.Parallel()
	for range 100_000 {
		at := time.UnixMicro(rand.Int64N(6311433600e6) - 2208988800e6) // 1900 to 2100
		bound := table.TimeScore(at)
		switch rand.IntN(3) {
		case 0:
			bound = math.Nextafter(bound, math.Inf(1))
		case 1:
			bound = math.Nextafter(bound, math.Inf(-1))
		}
		first := Time(bound).(pgtype.Timestamptz).Time
		before := first.Add(-time.Microsecond)
		if table.TimeScore(first) < bound || table.TimeScore(before) >= bound {
			t.Fatalf("%v: %v has score %v, %v before", bound, first, table.TimeScore(first), table.TimeScore(before))
		}
	}
}

func TestBoundsWithoutEnd(t *testing.T) {
	t.Parallel()
	for bound, want := range map[float64]pgtype.InfinityModifier{
		math.Inf(1): pgtype.Infinity, math.Inf(-1): pgtype.NegativeInfinity, 1e300: pgtype.Infinity, -1e300: pgtype.NegativeInfinity,
		9.1e12: pgtype.Finite, -2e11: pgtype.Finite,
	} {
		if got := Time(bound).(pgtype.Timestamptz).InfinityModifier; got != want {
			t.Errorf("%v: %v, want %v", bound, got, want)
		}
	}
	if Time(math.NaN()).(pgtype.Timestamptz).InfinityModifier != pgtype.Infinity {
		t.Error("NaN is not above all times")
	}
	for bound, want := range map[float64]int64{
		2: 2, 2.1: 3, -2.1: -2, math.Inf(1): math.MaxInt64, math.Inf(-1): math.MinInt64, 1e300: math.MaxInt64, -1e300: math.MinInt64, 1 << 63: math.MaxInt64,
	} {
		if got := Int(bound); got != want {
			t.Errorf("%v: %v, want %v", bound, got, want)
		}
	}
	if Int(math.NaN()) != int64(math.MaxInt64) {
		t.Error("NaN is not above all numbers")
	}
}

// PostgreSQL takes what Time and Int make.
func TestBoundsInSQL(t *testing.T) {
	t.Parallel()
	pool := newFlights(t, 3)
	exec(t, pool, "ALTER TABLE flights ADD at timestamptz, ADD people int")
	exec(t, pool, "UPDATE flights SET at = to_timestamp(id), people = id")
	s := NewSource(pool, pgx.RowToStructByPos[flight], map[string]Query{
		"at":     {SQL: "SELECT id, price FROM flights WHERE at >= $1 AND at < $2 ORDER BY id", Bound: Time},
		"people": {SQL: "SELECT id, price FROM flights WHERE people >= $1::bigint AND people < $2::bigint ORDER BY id", Bound: Int},
	})
	for _, index := range []string{"at", "people"} {
		wantIDs(t, s.Fetch(t.Context(), index, []table.Interval{{GE: 1.5, LT: 3}}), 2)
		wantIDs(t, s.Fetch(t.Context(), index, []table.Interval{table.Only(3)}), 3)
		wantIDs(t, s.Fetch(t.Context(), index, []table.Interval{table.Everything()}), 1, 2, 3)
	}
}
