package pg

import (
	"math"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/tablecache-go/tablecache/table"
)

// above returns an LT so that what is less is in the interval: +Inf includes +Inf, and NaN alone is above that for PostgreSQL.
func above(lt float64) float64 {
	if math.IsInf(lt, 1) {
		return math.NaN()
	}
	return lt
}

// The seconds around 1970 between which a bound is told from infinity: those of the years that timestamptz knows, roughly.
const firstSecond, lastSecond = -210e9, 9200e9

// Time is a Bound for a column of type timestamptz by which table.ByTime scores: for "at >= $1 AND at < $2". For columns of another type write
// $1::timestamptz. It is exact where table.TimeScore is. What lies before or after all times is '-infinity' or 'infinity'; a row whose
// time is 'infinity' has no score, and is not selected.
func Time(bound float64) any {
	switch {
	case math.IsNaN(bound) || bound > lastSecond:
		return pgtype.Timestamptz{Valid: true, InfinityModifier: pgtype.Infinity}
	case bound < firstSecond:
		return pgtype.Timestamptz{Valid: true, InfinityModifier: pgtype.NegativeInfinity}
	}
	return pgtype.Timestamptz{Valid: true, Time: firstAt(bound)}
}

// firstAt returns the first microsecond whose score is not below a bound. It begins where the score is below it for certain.
func firstAt(bound float64) time.Time {
	micros := int64(math.Floor(math.Nextafter(bound, math.Inf(-1))*1e6)) - 1
	for table.TimeScore(time.UnixMicro(micros)) < bound {
		micros++
	}
	return time.UnixMicro(micros).UTC()
}

// Int is a Bound for a column of whole numbers: for "people >= $1::bigint AND people < $2::bigint". It is exact for numbers up to 2^53; the largest
// bigint of all is never selected.
func Int(bound float64) any {
	switch up := math.Ceil(bound); {
	case math.IsNaN(bound) || up >= math.MaxInt64:
		return int64(math.MaxInt64)
	case up <= math.MinInt64:
		return int64(math.MinInt64)
	default:
		return int64(up)
	}
}
