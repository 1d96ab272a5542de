package cache_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tablecache-go/tablecache/cache"
	"github.com/tablecache-go/tablecache/table"
)

func TestASQLSourceFillsATable(t *testing.T) {
	t.Parallel()
	d, src := openSQL(t, append(numbered(0, 100), item{100, inf, 0}, item{101, -inf, 0})...)
	c := newCache(t, openTable(t), src)
	ok(t, c.Cover(t.Context(), "at", from(0, 10), from(20, 30)))
	want(t, c, cache.Fresh(), from(20, 30), numbered(20, 30)...)
	want(t, c, cache.Fresh(), from(0, 10), numbered(0, 10)...)
	d.source.put(item{5, 5, 50}, item{6, 26.5, 6})
	d.source.delete(7)
	ok(t, c.InvalidateKeys(5, 6, 7))
	want(t, c, cache.Fresh(), from(4, 10), item{4, 4, 4}, item{5, 5, 50}, item{8, 8, 8}, item{9, 9, 9})
	want(t, c, cache.Fresh(), from(26, 27), item{26, 26, 26}, item{6, 26.5, 6})
	ok(t, c.Cover(t.Context(), "value", everything))
	n, err := c.Count(t.Context(), at(everything), cache.Fresh())
	if ok(t, err); n != 101 {
		t.Errorf("%d records of 101", n)
	}
	d.wantEnded(t, src.DB)
}

func TestASQLSourceReadsInOneTransaction(t *testing.T) {
	t.Parallel()
	d, src := openSQL(t, append(numbered(0, 10), item{10, inf, 0}, item{11, -inf, 0})...)
	got, err := table.Collect(src.Fetch(t.Context(), "at", []interval{from(-inf, 2), from(5, 6), from(8, inf)}))
	ok(t, err)
	if !slices.Equal(got, []item{{0, 0, 0}, {1, 1, 1}, {11, -inf, 0}, {5, 5, 5}, {8, 8, 8}, {9, 9, 9}, {10, inf, 0}}) {
		t.Errorf("got %v", got)
	}
	if wanted := (driver.TxOptions{Isolation: driver.IsolationLevel(sql.LevelRepeatableRead), ReadOnly: true}); !slices.Equal(d.options, []driver.TxOptions{wanted}) {
		t.Errorf("transactions %v, want %v", d.options, wanted)
	}
	src.Tx = &sql.TxOptions{Isolation: sql.LevelSerializable}
	got, err = table.Collect(src.FetchKeys(t.Context(), []int64{3, 99, 1}))
	ok(t, err)
	if !slices.Equal(got, []item{{1, 1, 1}, {3, 3, 3}}) {
		t.Errorf("got %v", got)
	}
	if d.options[1] != (driver.TxOptions{Isolation: driver.IsolationLevel(sql.LevelSerializable)}) {
		t.Errorf("options %v", d.options[1])
	}
	if d.wantEnded(t, src.DB); d.committed != 2 || d.rolledBack != 0 {
		t.Errorf("%d transactions committed, %d rolled back", d.committed, d.rolledBack)
	}
}

func TestASQLSourceWithoutKeysIsNoKeySource(t *testing.T) {
	t.Parallel()
	_, src := openSQL(t, numbered(0, 10)...)
	if _, is := any(src.SQL).(cache.KeySource[item, int64]); is {
		t.Error("it is one")
	}
	wantErr(t, newCache(t, openTable(t), src.SQL).InvalidateKeys(1), cache.ErrNoKeySource)
}

// However a fetch ends, it says why, and leaves nothing open.
func TestASQLSourceLeavesNothingOpen(t *testing.T) {
	t.Parallel()
	errDown := errors.New("down")
	fetch := func(ctx context.Context, src cache.SQLByKey[item, int64]) iter.Seq2[item, error] {
		return src.Fetch(ctx, "at", []interval{from(0, 5), from(10, 15)})
	}
	byKey := func(ctx context.Context, src cache.SQLByKey[item, int64]) iter.Seq2[item, error] {
		return src.FetchKeys(ctx, []int64{1, 2, 3, 4})
	}
	for name, test := range map[string]struct {
		spoil func(*database, *cache.SQLByKey[item, int64])
		fetch func(context.Context, cache.SQLByKey[item, int64]) iter.Seq2[item, error]
		seen  int // records before the error
	}{
		"begin":  {func(d *database, _ *cache.SQLByKey[item, int64]) { d.failAt("begin", errDown) }, fetch, 0},
		"query":  {func(d *database, _ *cache.SQLByKey[item, int64]) { d.failAt("query", errDown) }, fetch, 0},
		"rows":   {func(d *database, _ *cache.SQLByKey[item, int64]) { d.failAt("third row", errDown) }, fetch, 2},
		"commit": {func(d *database, _ *cache.SQLByKey[item, int64]) { d.failAt("commit", errDown) }, fetch, 10},
		"scan": {func(_ *database, src *cache.SQLByKey[item, int64]) {
			scan := src.Scan
			src.Scan = func(r *sql.Rows) (item, error) {
				i, err := scan(r)
				if i.ID == 12 {
					err = errDown
				}
				return i, err
			}
		}, fetch, 7},
		"args": {func(_ *database, src *cache.SQLByKey[item, int64]) {
			src.Queries["at"] = cache.SQLQuery{Text: "by at", Args: func(in interval) ([]any, error) {
				if in.GE == 10 {
					return nil, errDown
				}
				return []any{in.GE, in.LT}, nil
			}}
		}, fetch, 5},
		"keys": {func(_ *database, src *cache.SQLByKey[item, int64]) {
			src.ByKeys = func([]int64) (string, []any, error) { return "", nil, errDown }
		}, byKey, 0},
		"rows by key": {func(d *database, _ *cache.SQLByKey[item, int64]) { d.failAt("third row", errDown) }, byKey, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, src := openSQL(t, numbered(0, 20)...)
			test.spoil(d, &src)
			got, err := table.Collect(test.fetch(t.Context(), src))
			if wantErr(t, err, errDown); len(got) != test.seen {
				t.Errorf("%d records before the error, want %d", len(got), test.seen)
			}
			if used := src.DB.Stats().InUse; used != 0 {
				t.Errorf("%d connections in use", used)
			}
			if name != "begin" && name != "query" && name != "commit" { // those have not begun, or ended, anything
				d.wantEnded(t, src.DB)
			}
		})
	}
}

func TestASQLSourceNeedsAQueryForTheIndex(t *testing.T) {
	t.Parallel()
	d, src := openSQL(t, numbered(0, 20)...)
	delete(src.Queries, "value")
	c := newCache(t, openTable(t), src)
	ok(t, c.Cover(t.Context(), "at", from(0, 5)))
	wantErr(t, c.Cover(t.Context(), "value", from(0, 5)), cache.ErrSource)
	want(t, c, cache.Fresh(), from(0, 5), numbered(0, 5)...)
	d.wantEnded(t, src.DB)
}

// Who wants no more, panics or has no time left, holds no connection either.
func TestASQLSourceIsLeftEarly(t *testing.T) {
	t.Parallel()
	d, src := openSQL(t, numbered(0, 20)...)
	scan := src.Scan
	all := []interval{from(0, 10), from(10, 20)}
	for range src.Fetch(t.Context(), "at", all) {
		break
	}
	d.wantEnded(t, src.DB)
	wantPanic(t, func() {
		for range src.Fetch(t.Context(), "at", all) {
			panic("the caller")
		}
	})
	d.wantEnded(t, src.DB)
	src.Scan = func(*sql.Rows) (item, error) { panic("the scan") }
	wantPanic(t, func() {
		for range src.FetchKeys(t.Context(), []int64{1}) {
		}
	})
	d.wantEnded(t, src.DB)
	src.Scan = scan

	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	seen := 0
	for _, err := range src.Fetch(ctx, "at", all) {
		if seen++; seen == 3 {
			cancel(cause)
		}
		if err != nil {
			wantErr(t, err, context.Canceled, cause)
		}
	}
	if seen > len(numbered(0, 20)) {
		t.Error("the end of the context was not told")
	}
	until(t, "the connection", func() bool { return src.DB.Stats().InUse == 0 })
	_, err := table.Collect(src.Fetch(ctx, "at", all))
	wantErr(t, err, context.Canceled)
	got, err := table.Collect(src.Fetch(t.Context(), "at", all)) // there is a single connection
	if ok(t, err); len(got) != 20 {
		t.Errorf("%d records", len(got))
	}
	d.wantEnded(t, src.DB)
}

// A context that ends behind the last record is told, too: nobody knows then that these are all.
func TestASQLSourceThatIsCancelledSaysSo(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 19, 20} {
		_, src := openSQL(t, numbered(0, 20)...)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if n == 0 {
			cancel()
		}
		got := 0
		var last error
		for _, err := range src.Fetch(ctx, "at", []interval{from(0, 20)}) {
			if last = err; err == nil {
				got++
			}
			if got == n {
				cancel()
			}
		}
		wantErr(t, last, context.Canceled)
		until(t, "the connection", func() bool { return src.DB.Stats().InUse == 0 })
	}
}

func wantPanic(t testing.TB, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Error("the panic was swallowed")
		}
	}()
	f()
}

// A time lies behind the arguments of a bound just if its score is not below the bound.
func TestTimeArgsAreAmongTimesAsBoundsAreAmongScores(t *testing.T) {
	t.Parallel()
	first := time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)
	span := int64(200 * 365 * 24 * time.Hour / time.Microsecond)
	for range 20000 {
		moment := first.Add(time.Duration(rand.Int64N(span)) * time.Microsecond)
		s := table.TimeScore(moment)
		for _, bound := range []float64{s, math.Nextafter(s, inf), math.Nextafter(s, -inf), math.Floor(s), s + 3e-7, s - 7e-7} {
			args, err := cache.TimeArgs(from(bound, inf))
			ok(t, err)
			for _, near := range []time.Duration{-time.Second, -time.Microsecond, 0, time.Microsecond, time.Second} {
				at := moment.Add(near)
				if got, wanted := !at.Before(args[0].(time.Time)), table.TimeScore(at) >= bound; got != wanted {
					t.Fatalf("%v, score %v, bound %v: argument %v", at, table.TimeScore(at), bound, args[0])
				}
			}
		}
	}
}

func TestTimeArgsOfEverything(t *testing.T) {
	t.Parallel()
	for _, in := range []interval{everything, from(-math.MaxFloat64, math.MaxFloat64), from(-1e12, 1e12)} {
		args, err := cache.TimeArgs(in)
		ok(t, err)
		if ge, lt := args[0].(time.Time), args[1].(time.Time); ge.Year() != 1000 || lt.Year() != 9999 {
			t.Errorf("%v is %v to %v", in, ge, lt)
		}
	}
}
