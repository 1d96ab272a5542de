package table_test

import (
	"errors"
	"iter"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// seat is a key of two columns.
type seat struct {
	Train string
	No    int16
}

type booking struct {
	Seat seat
	Km   float64
}

func openBookings(t testing.TB) *table.Table[booking, seat] {
	t.Helper()
	key := codec.Struct(
		codec.PartOf(codec.String, func(s *seat) *string { return &s.Train }),
		codec.PartOf(codec.Int16, func(s *seat) *int16 { return &s.No }),
	)
	return open(t, redistest.Shared(t).Client(t), table.Definition[booking, seat]{
		Name:       redistest.Prefix(t),
		PrimaryKey: table.Key(key, func(b *booking) seat { return b.Seat }),
		Attributes: []table.Attribute[booking]{
			table.Field("seat", key, func(b *booking) *seat { return &b.Seat }),
			table.Field("km", codec.Float64, func(b *booking) *float64 { return &b.Km }),
		},
		Indexes: []table.Index[booking]{table.By("km", func(b *booking) float64 { return b.Km })},
	}, []string{"km"})
}

func TestKeysOfSeveralColumns(t *testing.T) {
	t.Parallel()
	tbl := openBookings(t)
	ok(t, tbl.Put(t.Context(), booking{seat{"B", 1}, 5}, booking{seat{"A", 2}, 5}, booking{seat{"A", -1}, 5}, booking{seat{"AB", 1}, 5},
		booking{seat{"", 0}, 5}, booking{seat{"A", 2}, 7}))
	got := all(t, tbl.Records(t.Context(), tbl.All("km")))
	want := []booking{{seat{"", 0}, 5}, {seat{"A", -1}, 5}, {seat{"B", 1}, 5}, {seat{"AB", 1}, 5}, {seat{"A", 2}, 7}}
	if !slices.Equal(got, want) { // a length stands before each column
		t.Errorf("got %v", got)
	}
	b, err := tbl.Get(t.Context(), seat{"A", 2})
	ok(t, err)
	n, err := tbl.DeleteKeys(t.Context(), seat{"A", 2}, seat{"A", 1}, seat{"AB", 1})
	ok(t, err)
	if b.Km != 7 || n != 2 {
		t.Errorf("got %v, and %d deleted", b, n)
	}
}

type record = map[string]any

func mapDefinition(name string) table.Definition[record, string] {
	number := func(r *record) float64 { n, _ := (*r)["n"].(int32); return float64(n) }
	return table.Definition[record, string]{
		Name:       name,
		PrimaryKey: table.Key(codec.String, func(r *record) string { s, _ := (*r)["id"].(string); return s }),
		Attributes: []table.Attribute[record]{
			table.MapField("id", codec.String),
			table.MapField("n", codec.Int32),
			table.MapField("note", codec.Nullable(codec.String)),
			table.MapField("when", codec.UTCDatetime),
		},
		Indexes: []table.Index[record]{table.By("n", number)},
	}
}

func TestRecordsThatAreMaps(t *testing.T) {
	t.Parallel()
	tbl := open(t, redistest.Shared(t).Client(t), mapDefinition(redistest.Prefix(t)), []string{"n"})
	whole := func() record {
		return record{"id": "a", "n": int32(-3), "note": (*string)(nil), "when": time.Unix(1e9, 0).UTC()}
	}
	given := whole()
	given["unknown"] = make(chan int)
	ok(t, tbl.Put(t.Context(), given))
	got, err := tbl.Get(t.Context(), "a")
	ok(t, err)
	if !reflect.DeepEqual(got, whole()) || len(given) != 5 {
		t.Errorf("got %v, want %v", got, whole())
	}
	other, err := tbl.First(t.Context(), tbl.All("n"))
	ok(t, err)
	got["n"] = int32(8)
	if other["n"] != int32(-3) {
		t.Error("two reads gave one map")
	}
}

func TestMapsThatLackSomethingAreRefused(t *testing.T) {
	t.Parallel()
	rdb, sent := counted(t)
	tbl := open(t, rdb, mapDefinition(redistest.Prefix(t)), []string{"n"})
	before := sent.n.Load()
	for name, c := range map[string]struct {
		change    func(record)
		attribute string
		want      error
	}{
		"missing":          {func(r record) { delete(r, "n") }, "n", table.ErrMissingAttribute},
		"of another type":  {func(r record) { r["n"] = int64(3) }, "n", codec.ErrValue},
		"an untyped nil":   {func(r record) { r["note"] = nil }, "note", codec.ErrValue},
		"text for pointer": {func(r record) { r["note"] = "canary" }, "note", codec.ErrValue},
		"not UTC":          {func(r record) { r["when"] = time.Unix(1, 0).In(time.FixedZone("", 60)) }, "when", codec.ErrValue},
		"an empty map":     {func(r record) { clear(r) }, "id", table.ErrMissingAttribute},
	} {
		r := record{"id": "a", "n": int32(1), "note": (*string)(nil), "when": time.Unix(1, 0).UTC()}
		c.change(r)
		err := tbl.Put(t.Context(), r)
		var coding *table.CodingError
		if !errors.As(err, &coding) || !errors.Is(err, c.want) || coding.Attribute != c.attribute || coding.Decoding {
			t.Errorf("%s: got %v", name, err)
		} else if !strings.Contains(err.Error(), c.attribute) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %q names no attribute, or its value", name, err)
		}
	}
	if err := tbl.Put(t.Context(), nil); !errors.Is(err, table.ErrMissingAttribute) {
		t.Errorf("a nil map: got %v", err)
	}
	if n := sent.n.Load(); n != before {
		t.Errorf("%d commands were sent", n-before)
	}
}

// wide has one field for each codec.
type wide struct {
	ID  uuid.UUID
	Yes bool
	Raw []byte
	I8  int8
	U64 uint64
	F32 float32
	Big *big.Int
	Opt *int8
	Set []string
	At  time.Time
	Doc struct{ A []int }
}

func wideDefinition(name string) table.Definition[wide, uuid.UUID] {
	return table.Definition[wide, uuid.UUID]{
		Name:       name,
		PrimaryKey: table.Key(codec.UUID, func(w *wide) uuid.UUID { return w.ID }),
		Attributes: []table.Attribute[wide]{
			table.Field("id", codec.UUID, func(w *wide) *uuid.UUID { return &w.ID }),
			table.Field("yes", codec.Bool, func(w *wide) *bool { return &w.Yes }),
			table.Field("raw", codec.Bytes, func(w *wide) *[]byte { return &w.Raw }),
			table.Field("i8", codec.Int8, func(w *wide) *int8 { return &w.I8 }),
			table.Field("u64", codec.Uint64, func(w *wide) *uint64 { return &w.U64 }),
			table.Field("f32", codec.Float32, func(w *wide) *float32 { return &w.F32 }),
			table.Field("big", codec.BigIntAsString, func(w *wide) **big.Int { return &w.Big }),
			table.Field("opt", codec.Nullable(codec.Int8), func(w *wide) **int8 { return &w.Opt }),
			table.Field("set", codec.Array(codec.String), func(w *wide) *[]string { return &w.Set }),
			table.Field("at", codec.Time, func(w *wide) *time.Time { return &w.At }),
			table.Field("doc", codec.JSON[struct{ A []int }](), func(w *wide) *struct{ A []int } { return &w.Doc }),
		},
		Indexes: []table.Index[wide]{table.By("i8", func(w *wide) float64 { return float64(w.I8) })},
	}
}

func TestEveryCodecComesBackFromRedis(t *testing.T) {
	t.Parallel()
	tbl := open(t, redistest.Shared(t).Client(t), wideDefinition(redistest.Prefix(t)), []string{"i8"})
	five, huge := int8(5), new(big.Int).Lsh(big.NewInt(-3), 200)
	long := strings.Repeat("é", 10_000) // its length takes more than one byte
	want := []wide{
		{ID: uuid.New(), I8: -128, Raw: []byte{}, Big: big.NewInt(1), Set: []string{}, At: time.Unix(0, -1).UTC()},
		{ID: uuid.New(), I8: 127, Yes: true, Raw: []byte("\x00\xff\r\n"), U64: 1<<64 - 1, F32: -1.5, Big: huge, Opt: &five,
			Set: []string{"", long}, At: time.Unix(1e9, 999_999_999).UTC(), Doc: struct{ A []int }{[]int{1, 2}}},
	}
	ok(t, tbl.Put(t.Context(), want...))
	if got := all(t, tbl.Records(t.Context(), tbl.All("i8"))); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestAttrComputesWhatIsStored(t *testing.T) {
	t.Parallel()
	rdb := redistest.Shared(t).Client(t)
	def := itemDefinition(redistest.Prefix(t))
	def.Attributes[1] = table.Attr("name", codec.String,
		func(i *item) (string, error) { return "stored " + i.Name, nil },
		func(i *item, s string) error { i.Name = strings.TrimPrefix(s, "stored "); return nil })
	tbl := open(t, rdb, def, []string{"at", "rank"})
	ok(t, tbl.Put(t.Context(), item{ID: 1, Name: "x"}))
	if row := rdb.HGet(t.Context(), tbl.Name()+":r", rawKey(1)).Val(); !strings.Contains(row, "stored x") {
		t.Errorf("the row is %q", row)
	}
	wantItems(t, all(t, tbl.Records(t.Context(), tbl.All("at"))), []item{{ID: 1, Name: "x"}})
}

// A change of the slices given to Open, or of what was read, is nothing to the table.
func TestOpenKeepsItsOwnDefinition(t *testing.T) {
	t.Parallel()
	def := itemDefinition(redistest.Prefix(t))
	tbl := open(t, redistest.Shared(t).Client(t), def, []string{"at", "rank"})
	clear(def.Attributes)
	clear(def.Indexes)
	put(t, tbl, numbered(0, 2)...)
	wantIDs(t, tbl, tbl.All("rank"), 0, 1)
}

func TestErrorsOfCodingTellWhereAndNotWhat(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  table.CodingError
		want string
	}{
		{table.CodingError{Table: "t", Key: "0123", Attribute: "a", Err: codec.ErrValue},
			"tablecache: table t: cannot encode attribute a of key #0123: codec: value cannot be encoded"},
		{table.CodingError{Table: "t", Index: "i", Err: codec.ErrValue},
			"tablecache: table t: cannot encode score of index i: codec: value cannot be encoded"},
		{table.CodingError{Table: "t", Key: "0123", Decoding: true, Err: codec.ErrData},
			"tablecache: table t: cannot decode of key #0123: codec: bytes cannot be decoded"},
	} {
		if got := c.err.Error(); got != c.want || !errors.Is(&c.err, c.err.Err) {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// Not parallel: it weighs the heap of the process. Rows come by ranks, by a script, and by look-up.
func TestAKeptTextKeepsItsRowAloneInMemory(t *testing.T) {
	const size, records, every = 1000, 20_000, 100
	server := redistest.Start(t, redistest.Options{})
	tbl := openBroad(t, server.Client(t), records, size)
	var kept []string
	keep := func(what string, seq iter.Seq2[broad, error]) {
		t.Helper()
		before, n := heap(), 0
		for r, err := range seq {
			ok(t, err)
			if n++; n%every == 0 {
				kept = append(kept, r.Text)
			}
		}
		if grown := heap() - before; grown > 20*size*int64(n/every) { // a fifth of what was read
			t.Errorf("%s: %d texts of %d bytes keep %d bytes", what, n/every, size, grown)
		}
	}
	keep("a long read", tbl.Records(t.Context(), tbl.All("id")))
	keep("short reads", func(yield func(broad, error) bool) {
		for from := 0.0; from < records; from += every {
			for r, err := range tbl.Records(t.Context(), tbl.Range("id", from, from+every)) {
				if !yield(r, err) {
					return
				}
			}
		}
	})
	var ids []int64
	for id := range int64(10_000) {
		ids = append(ids, id)
	}
	keep("a look-up", tbl.Lookup(t.Context(), ids...))
	for _, text := range kept {
		if len(text) != size {
			t.Fatalf("a text of %d bytes", len(text))
		}
	}
}

// Decoders accept nothing but what encoders write.
func TestU28_DecodersAreStrict(t *testing.T) {
	t.Parallel()
	decode := func(what string, err error) {
		if !errors.Is(err, codec.ErrData) {
			t.Errorf("%s: got %v, want ErrData", what, err)
		}
	}
	for _, text := range []string{" 1_000 ", "1_000", " 1", "+1", "01", "1 ", "0x1", "", "-0", "１"} {
		_, err := codec.IntAsString.Decode([]byte(text))
		decode(text, err)
	}
	for _, b := range []string{"\x00\x02a", "\x00", "\x00\x01", "\x00\x01a\x00"} {
		_, err := codec.Array(codec.String).Decode([]byte(b))
		decode("array", err)
	}
	for _, b := range []string{"", "\x02", "\x02abc", "\x00a", "\xff"} {
		_, err := codec.Nullable(codec.String).Decode([]byte(b))
		decode("nullable", err)
	}
}
