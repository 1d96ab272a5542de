package mirror_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"testing"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

type handle = table.KeyReading[item, int64]

// notable are scores beside which a mistake would show, in order.
var notable = []float64{-inf, -math.MaxFloat64, -(1 << 53), -1.5, -math.SmallestNonzeroFloat64, 0,
	math.SmallestNonzeroFloat64, 0.1, 1, math.Nextafter(1, 2), 1 << 53, math.MaxFloat64, inf}

func drawItem(t *rapid.T) item {
	at := rapid.SampledFrom(notable).Draw(t, "at")
	if at == 0 && rapid.Bool().Draw(t, "negative zero") {
		at = math.Copysign(0, -1)
	}
	return item{
		ID:   int64(rapid.IntRange(-5, 60).Draw(t, "id")),
		Name: "v" + strconv.Itoa(rapid.IntRange(0, 3).Draw(t, "name")),
		At:   at,
		Rank: float64(rapid.IntRange(0, 2).Draw(t, "rank")),
	}
}

// drawSpec draws a spec, at times a wrong one.
func drawSpec(t *rapid.T) spec {
	s := spec{Index: "at", Reverse: rapid.Bool().Draw(t, "reverse")}
	switch rapid.IntRange(0, 9).Draw(t, "index") {
	case 0:
		s.Index = "none"
	case 1, 2, 3:
		s.Index, s.Intervals = "rank", []table.Interval{{GE: 1, LT: 5}, {GE: 0, LT: 1}}
	default:
		s.Intervals = drawIntervals(t)
	}
	if rapid.Bool().Draw(t, "has a limit") {
		s.Limit = rapid.IntRange(-1, 30).Draw(t, "limit")
	}
	switch rapid.IntRange(0, 4).Draw(t, "predicate") {
	case 0:
		of := int64(rapid.IntRange(2, 5).Draw(t, "of"))
		s.Recheck = func(i *item) bool { return i.ID%of == 0 }
	case 1:
		bad := int64(rapid.IntRange(0, 60).Draw(t, "panics at"))
		s.Recheck = func(i *item) bool {
			if i.ID == bad {
				panic("bad")
			}
			return true
		}
	}
	return s
}

func drawIntervals(t *rapid.T) (some []table.Interval) {
	if rapid.IntRange(0, 3).Draw(t, "everything") == 0 {
		return []table.Interval{table.Everything()}
	}
	for n := rapid.IntRange(0, 4).Draw(t, "from"); n < len(notable); n += rapid.IntRange(1, 4).Draw(t, "gap") {
		from := notable[n]
		switch rapid.IntRange(0, 2).Draw(t, "kind") {
		case 0:
			some = append(some, table.Only(from))
		case 1:
			some = append(some, table.Interval{GE: from, LT: from}) // empty, except at +Inf
		default:
			n = min(n+rapid.IntRange(1, 4).Draw(t, "width"), len(notable)-1)
			some = append(some, table.Interval{GE: from, LT: notable[n]})
		}
		if some[len(some)-1].LT == inf {
			break
		}
	}
	return rapid.Permutation(some).Draw(t, "intervals")
}

// ask asks a handle everything, as a handler would, and writes the answers down.
func ask(ctx context.Context, h handle, s spec, keys []int64, pages []int) string {
	var got []any
	for i, err := range h.Records(ctx, s) {
		got = append(got, i, kindOf(err))
	}
	one, err := h.First(ctx, s)
	n, counting := h.Count(ctx, s)
	if counting != nil {
		n = 0
	}
	got = append(got, one, kindOf(err), n, kindOf(counting))
	for i, err := range h.Lookup(ctx, keys...) {
		got = append(got, i, kindOf(err))
	}
	one, err = h.Get(ctx, keys[0])
	got = append(got, one, kindOf(err))
	s.Limit = min(s.Limit, 0)
	var token table.Token
	for _, n := range pages {
		var page []item
		page, token, err = h.Page(ctx, s, token, n)
		if got = append(got, fmt.Sprint(page), string(token), kindOf(err)); token == "" {
			break
		}
	}
	return fmt.Sprintf("%v", got)
}

// kindOf is what a caller can know of an error.
func kindOf(err error) string {
	var coding *table.CodingError
	if errors.As(err, &coding) {
		return fmt.Sprint(coding.Table, coding.Key, coding.Attribute, coding.Decoding, errors.Is(err, table.ErrPanic))
	}
	for _, known := range []error{table.ErrNotFound, table.ErrUnknownIndex, table.ErrInvalidSpec, table.ErrTooLarge, context.Canceled} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return fmt.Sprint(err)
}

// TestM1_AMirrorAnswersAsATableDoes asks a Table, a Reader, a Mirror and a Snapshot the same, tokens included, among them rows that
// somebody has damaged.
func TestM1_AMirrorAnswersAsATableDoes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
		tbl := openOn(t, rdb, name)
		put(t, tbl, rapid.SliceOfN(rapid.Custom(drawItem), 0, 40).Draw(rt, "items")...)
		if rapid.IntRange(0, 3).Draw(rt, "damage") == 0 {
			damage(t, rdb, name)
		}
		m := mirrorOn(t, rdb, name)
		reader, err := table.OpenReader(t.Context(), rdb, definition(name))
		ok(t, err)
		for range 5 {
			s := drawSpec(rt)
			keys := rapid.SliceOfN(rapid.Int64Range(-6, 61), 1, 12).Draw(rt, "keys")
			pages := rapid.SliceOfN(rapid.IntRange(0, 7), 1, 20).Draw(rt, "pages")
			want := ask(t.Context(), tbl, s, keys, pages)
			for what, h := range map[string]handle{"reader": reader, "mirror": m, "snapshot": m.Snapshot()} {
				if got := ask(t.Context(), h, s, keys, pages); got != want {
					rt.Fatalf("%+v %v\n%s: %s\ntable:  %s", s, keys, what, got, want)
				}
			}
		}
		ok(t, m.Close())
		ok(t, reader.Close())
		ok(t, tbl.Close())
	})
}

// damage damages the first row of a table.
func damage(t testing.TB, rdb *redis.Client, name string) {
	t.Helper()
	keys, err := rdb.HKeys(t.Context(), name+":r").Result()
	if ok(t, err); len(keys) > 0 {
		ok(t, rdb.HSet(t.Context(), name+":r", keys[0], "\x00\x00\x00\x00damaged").Err())
	}
}

func TestM1_AllHandlesAreCalledAlike(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 3)...)
	m := mirrorOf(t, tbl)
	for _, h := range []handle{m, m.Snapshot()} {
		if h.Name() != tbl.Name() || h.Position() != tbl.Position() || !reflect.DeepEqual(h.All("at"), tbl.All("at")) ||
			!reflect.DeepEqual(h.Range("at", 1, 2), tbl.Range("at", 1, 2)) {
			t.Errorf("%T is another", h)
		}
	}
}

func TestM1_AContextThatHasEndedEndsReads(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 20)...)
	m := mirrorOf(t, tbl)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	n := 0
	for _, err := range m.Records(ctx, m.All("at")) {
		last = err
		if n++; n == 5 {
			cancel()
		}
	}
	if n != 6 || !errors.Is(last, context.Canceled) {
		t.Errorf("after 5 of 20: %d yielded, the last %v", n, last)
	}
	_, get := m.Get(ctx, 1)
	_, counted := m.Count(ctx, m.All("at"))
	_, _, page := m.Page(ctx, m.All("at"), "", 3)
	_, err := m.Snapshot().First(ctx, m.All("at"))
	for what, err := range map[string]error{"get": get, "count": counted, "page": page, "snapshot": err, "wait": m.WaitFor(ctx, ahead(t, tbl))} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v", what, err)
		}
	}
}
