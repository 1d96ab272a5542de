package table_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

func TestPutTheSameKeyTwiceInOneCallTheLastWins(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, item{ID: 1, Name: "first", At: 10}, item{ID: 2, At: 20}, item{ID: 1, Name: "last", At: 30, Rank: 5})
	wantIDs(t, tbl, tbl.All("at"), 2, 1)
	wantItems(t, all(t, tbl.Lookup(t.Context(), 1)), []item{{ID: 1, Name: "last", At: 30, Rank: 5}})
}

func TestPutMovesARecordAndLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 3)...)
	for _, at := range []float64{11, 500, -500, 11} {
		put(t, tbl, item{ID: 1, Name: "moved", At: at, Rank: -at})
		wantIDs(t, tbl, tbl.Range("at", 10, 11))
		wantIDs(t, tbl, table.Spec[item]{Index: "at", Intervals: []table.Interval{table.Only(at)}}, 1)
		wantIDs(t, tbl, table.Spec[item]{Index: "rank", Intervals: []table.Interval{table.Only(-at)}}, 1)
		if n, err := tbl.Count(t.Context(), tbl.All("rank")); n != 3 || err != nil {
			t.Fatalf("%d records (%v), want 3", n, err)
		}
	}
}

func TestPutOfNothingDoesNothing(t *testing.T) {
	t.Parallel()
	rdb, sent := counted(t)
	tbl := openOn(t, rdb, redistest.Prefix(t))
	before := sent.n.Load()
	ok(t, tbl.Put(t.Context()))
	ok(t, tbl.ScratchPut(t.Context()))
	n, err := tbl.DeleteKeys(t.Context())
	ok(t, err)
	if now := sent.n.Load(); now != before || n != 0 {
		t.Errorf("%d commands were sent, %d keys deleted", now-before, n)
	}
}

func TestPutKeepsNothingOfTheCallers(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	note := "before"
	records := []item{{ID: 1, Note: &note, Tags: []string{"a", "b"}}}
	put(t, tbl, records...)
	note, records[0].Tags[0], records[0].Name = "after", "z", "after"
	got, err := tbl.Get(t.Context(), 1)
	ok(t, err)
	if *got.Note != "before" || got.Tags[0] != "a" || got.Name != "" {
		t.Errorf("got %+v", got)
	}
}

// beforeWrite is called before each command or pipeline that stores or deletes rows is sent.
type beforeWrite struct {
	counter
	call func()
}

func (h *beforeWrite) look(cmds ...redis.Cmder) {
	for _, cmd := range cmds {
		if name := cmd.Name(); name == "hset" || name == "evalsha" {
			h.call()
			return
		}
	}
}

func (h *beforeWrite) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		h.look(cmd)
		return next(ctx, cmd)
	}
}

func (h *beforeWrite) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		h.look(cmds...)
		return next(ctx, cmds)
	}
}

// fillsUp returns a server and a client of it that finds no memory left from its n-th write on.
func fillsUp(t *testing.T, n int) (admin, rdb *redis.Client) {
	t.Helper()
	server := redistest.Start(t, redistest.Options{})
	admin = server.Client(t)
	rdb = server.TCPClient(t, func(o *redis.Options) { o.PoolSize = 1 }) // no transactions, which hooks would not see
	rdb.AddHook(&beforeWrite{call: func() {
		if n--; n == 0 {
			ok(t, admin.ConfigSet(t.Context(), "maxmemory", "1").Err())
		}
	}})
	return admin, rdb
}

func TestG2_ALongPutGoesInOrderAndItsErrorSaysHowManyAreIn(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]func(*items, ...item) error{
		"Put":        func(i *items, r ...item) error { return i.Put(t.Context(), r...) },
		"ScratchPut": func(i *items, r ...item) error { return i.ScratchPut(t.Context(), r...) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			admin, rdb := fillsUp(t, 5) // the sample, the claim, and two batches
			tbl := openOn(t, rdb, redistest.Prefix(t))
			err := call(tbl, numbered(0, 3500)...)
			if err == nil || !strings.Contains(err.Error(), "2000 of 3500 records are in") || !redis.IsOOMError(err) {
				t.Errorf("got %v, want how many are in, and why not more", err)
			}
			ok(t, admin.ConfigSet(t.Context(), "maxmemory", "0").Err())
			mergeAndFold(t, tbl)
			wantItems(t, all(t, tbl.Records(t.Context(), tbl.All("at"))), numbered(0, 2000))
		})
	}
}

func TestG2_AShortPutIsInOrItIsNot(t *testing.T) {
	t.Parallel()
	admin, rdb := fillsUp(t, 4) // the sample, the claim, and one batch
	tbl := openOn(t, rdb, redistest.Prefix(t))
	put(t, tbl, numbered(0, 10)...)
	before := dump(t, admin, tbl.Name())
	changed := numbered(5, 900)
	for i := range changed {
		changed[i].Name, changed[i].Rank = "changed", 9
	}
	if err := tbl.Put(t.Context(), changed...); err == nil || strings.Contains(err.Error(), "are in") {
		t.Errorf("got %v, want that Redis has no memory left", err)
	}
	wantUntouched(t, admin, tbl.Name(), before)
	wantItems(t, all(t, tbl.Records(t.Context(), tbl.All("at"))), numbered(0, 10))
	ok(t, admin.ConfigSet(t.Context(), "maxmemory", "0").Err())
	put(t, tbl, changed...) // the table goes on
}

func TestPutOfManyRecords(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	want := numbered(0, 2345)
	put(t, tbl, want...)
	wantItems(t, all(t, tbl.Records(t.Context(), tbl.All("at"))), want)
}

// Each is put beside good records, of which one is there already.
var badPranks = map[string]struct {
	bad              prank
	attribute, index string
	cause            error
	keyless          bool // the key was not encoded
}{
	"key function panics":  {bad: prank{ID: 3, Do: "key panics"}, cause: table.ErrPanic, keyless: true},
	"key codec fails":      {bad: prank{ID: refusedNumber}, cause: errPrank, keyless: true},
	"key codec, half way":  {bad: prank{ID: halfwayNumber}, cause: errPrank, keyless: true},
	"key codec panics":     {bad: prank{ID: panickingNumber}, cause: table.ErrPanic, keyless: true},
	"field panics":         {bad: prank{ID: 3, Do: "field panics"}, attribute: "id", cause: table.ErrPanic},
	"get fails":            {bad: prank{ID: 3, Do: "get fails"}, attribute: "v", cause: errPrank},
	"get panics":           {bad: prank{ID: 3, Do: "get panics"}, attribute: "v", cause: table.ErrPanic},
	"codec fails":          {bad: prank{ID: 3, V: refusedNumber}, attribute: "v", cause: errPrank},
	"codec fails half way": {bad: prank{ID: 3, V: halfwayNumber}, attribute: "v", cause: errPrank},
	"codec panics":         {bad: prank{ID: 3, V: panickingNumber}, attribute: "v", cause: table.ErrPanic},
	"score is NaN":         {bad: prank{ID: 3, Do: "rank is NaN"}, index: "rank", cause: codec.ErrValue},
	"score panics":         {bad: prank{ID: 3, Do: "at panics"}, index: "at", cause: table.ErrPanic},
}

func TestG12_APutThatFailsSendsNothingAndChangesNothing(t *testing.T) {
	t.Parallel()
	for name, c := range badPranks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tbl, rdb, sent := openPranks(t)
			ok(t, tbl.Put(t.Context(), prank{ID: 1, V: 1}, prank{ID: 3, V: 3}))
			before := dump(t, rdb, tbl.Name())
			n := sent.n.Load()
			for verb, call := range map[string]func(context.Context, ...prank) error{"put": tbl.Put, "scratch put": tbl.ScratchPut} {
				err := call(t.Context(), prank{ID: 1, V: 100}, c.bad, prank{ID: 4})
				var coding *table.CodingError
				if !errors.As(err, &coding) || !errors.Is(err, c.cause) || strings.Contains(err.Error(), secret) {
					t.Fatalf("%s: got %v, want a CodingError of %v", verb, err, c.cause)
				}
				if coding.Decoding || coding.Attribute != c.attribute || coding.Index != c.index || (coding.Key == "") != c.keyless {
					t.Errorf("%s: got %+v", verb, coding)
				}
			}
			if now := sent.n.Load() - n; now != 0 {
				t.Errorf("%d commands were sent", now)
			}
			wantUntouched(t, rdb, tbl.Name(), before)
		})
	}
}

func TestG12_UnequalKeysWithEqualBytesAreRefused(t *testing.T) {
	t.Parallel()
	rdb, sent := counted(t)
	def := prankDefinition(redistest.Prefix(t))
	def.PrimaryKey = table.Key(codec.Codec[int64](evenCodec{}), func(p *prank) int64 { return p.ID })
	tbl := open(t, rdb, def, []string{"at", "rank"})
	before := sent.n.Load()
	calls := map[string]error{
		"Put":        tbl.Put(t.Context(), prank{ID: 2}, prank{ID: 3}),
		"ScratchPut": tbl.ScratchPut(t.Context(), prank{ID: 2}, prank{ID: 3}),
		"Lookup":     lastError(tbl.Lookup(t.Context(), 5, 2, 3)),
	}
	calls["Apply, put"] = tbl.Apply(t.Context(), table.Batch[prank, int64]{Put: []prank{{ID: 2}, {ID: 3}}})
	calls["Apply, delete"] = tbl.Apply(t.Context(), table.Batch[prank, int64]{Delete: []int64{2, 3}})
	_, calls["DeleteKeys"] = tbl.DeleteKeys(t.Context(), 2, 3)
	for name, err := range calls {
		var coding *table.CodingError
		if !errors.As(err, &coding) || !errors.Is(err, codec.ErrValue) || coding.Key == "" {
			t.Errorf("%s: got %v, want a CodingError", name, err)
		}
	}
	if n := sent.n.Load(); n != before {
		t.Errorf("%d commands were sent", n-before)
	}
}

// evenCodec takes every odd number for the even one before it.
type evenCodec struct{ prankCodec }

func (evenCodec) Append(dst []byte, v int64) ([]byte, error) { return codec.Int64.Append(dst, v&^1) }

// A put that fails has deleted nothing.
func TestU09_AFailedPutLeavesTheOldRow(t *testing.T) {
	t.Parallel()
	failedPuts(t, (*items).Put, (*maps).Put)
}

// Likewise in scratch.
func TestU10_AFailedScratchPutLeavesTheOldRow(t *testing.T) {
	t.Parallel()
	failedPuts(t, (*items).ScratchPut, (*maps).ScratchPut)
}

type maps = table.Table[map[string]any, int64]

func failedPuts(t *testing.T, put func(*items, context.Context, ...item) error, putMap func(*maps, context.Context, ...map[string]any) error) {
	tbl := openItems(t)
	ok(t, put(tbl, t.Context(), numbered(0, 3)...))
	for what, bad := range map[string]item{
		"a value that is too long": {ID: 1, Tags: []string{strings.Repeat("x", math.MaxUint16+1)}},
		"a NaN score":              {ID: 1, At: math.NaN()},
		"no UTF-8":                 {ID: 1, Name: "\xff"},
	} {
		var c *table.CodingError
		if err := put(tbl, t.Context(), item{ID: 2, At: 5}, bad); !errors.As(err, &c) {
			t.Errorf("%s: got %v, want a *CodingError", what, err)
		}
	}
	ok(t, tbl.ScratchMerge(t.Context()))
	wantItems(t, all(t, tbl.Records(t.Context(), tbl.All("at"))), numbered(0, 3))

	name := redistest.Prefix(t)
	def := table.Definition[map[string]any, int64]{Name: name,
		PrimaryKey: table.Key(codec.Int64, func(m *map[string]any) int64 { return (*m)["id"].(int64) }),
		Attributes: []table.Attribute[map[string]any]{table.MapField("id", codec.Int64), table.MapField("name", codec.String)},
		Indexes:    []table.Index[map[string]any]{table.By("id", func(m *map[string]any) float64 { return float64((*m)["id"].(int64)) })}}
	named := open(t, redistest.Shared(t).Client(t), def, []string{"id"})
	ok(t, putMap(named, t.Context(), map[string]any{"id": int64(1), "name": "old"}))
	if err := putMap(named, t.Context(), map[string]any{"id": int64(1)}); !errors.Is(err, table.ErrMissingAttribute) {
		t.Errorf("got %v, want ErrMissingAttribute", err)
	}
	ok(t, named.ScratchMerge(t.Context()))
	if got, err := named.Get(t.Context(), 1); err != nil || got["name"] != "old" {
		t.Errorf("got %v, %v", got, err)
	}
}
