package table

import (
	"bytes"
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/tablecache-go/tablecache/codec"
)

// parcel is a record with parts of every shape that a row may have.
type parcel struct {
	ID     int64
	Text   string
	Weight float64
	Note   *string
	Tags   []string
	Raw    []byte
}

// parcels is a table that has only its definition: it decodes.
func parcels() *Table[parcel, int64] {
	return &Table[parcel, int64]{def: Definition[parcel, int64]{
		Name:       "parcels",
		PrimaryKey: Key(codec.Int64, func(p *parcel) int64 { return p.ID }),
		Attributes: []Attribute[parcel]{
			Field("id", codec.Int64, func(p *parcel) *int64 { return &p.ID }),
			Field("text", codec.String, func(p *parcel) *string { return &p.Text }),
			Field("weight", codec.Float64, func(p *parcel) *float64 { return &p.Weight }),
			Field("note", codec.Nullable(codec.String), func(p *parcel) **string { return &p.Note }),
			Field("tags", codec.Array(codec.String), func(p *parcel) *[]string { return &p.Tags }),
			Field("raw", codec.Bytes, func(p *parcel) *[]byte { return &p.Raw }),
		},
		Indexes: []Index[parcel]{By("tags", func(p *parcel) float64 { return float64(len(p.Tags)) })},
	}}
}

// soundRows are rows as they are stored.
func soundRows(t testing.TB) (rows [][]byte) {
	note := "a note"
	records := []parcel{{ID: 1}, {ID: -1, Text: "é", Weight: math.Inf(1), Note: &note, Tags: []string{"", "b"}, Raw: []byte{0, 255}},
		{ID: math.MinInt64, Text: strings.Repeat("x", 200), Tags: []string{strings.Repeat("y", 300)}, Raw: make([]byte, 20_000)}}
	encoded, err := parcels().encode(records)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range encoded {
		rows = append(rows, slices.Clone(row.Value))
	}
	return rows
}

// FuzzRow decodes any bytes as a row: no panic, an error that names the side, no more memory than the row justifies; and
// what is accepted is what would be written.
func FuzzRow(f *testing.F) {
	for _, row := range soundRows(f) {
		f.Add(row)
	}
	for _, row := range []string{"", "abcd", "\x00\x00\x00\x00\x80\x00", "\x00\x00\x00\x01\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "\x00\x00\x00\x00\x08"} {
		f.Add([]byte(row))
	}
	f.Fuzz(checkRow)
}

func checkRow(t *testing.T, row []byte) {
	t.Helper()
	tbl := parcels()
	d := tbl.decoder()
	err := d.decode([]byte("key"), row)
	var c *CodingError
	switch {
	case err != nil:
		if !errors.As(err, &c) || !errors.Is(err, codec.ErrData) {
			t.Errorf("got %v", err)
		}
	default:
		again, err := tbl.encode([]parcel{d.record})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again[0].Value[generationBytes:], row[generationBytes:]) {
			t.Errorf("%x is another form of %x", again[0].Value, row)
		}
	}
	wantBounded(t, "a row", 2*len(row), func() { _ = d.decode([]byte("key"), row) })
}

// wantBounded fails when a call allocates more than so many bytes and a little. Others allocate meanwhile: too much is
// measured again before it counts.
func wantBounded(t *testing.T, what string, limit int, call func()) {
	t.Helper()
	const slack = 4 << 10
	least := uint64(math.MaxUint64)
	for range 5 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		call()
		runtime.ReadMemStats(&after)
		if least = min(least, after.TotalAlloc-before.TotalAlloc); least <= uint64(limit)+slack {
			return
		}
	}
	t.Errorf("%s took %d bytes, more than %d", what, least, limit)
}

// Each truncation of a row, and each row with one bit, or one byte, turned over: it is refused or it is another sound row.
// (Not parallel: it measures what is allocated.)
func TestG12_EveryWayToDamageARow(t *testing.T) {
	damaged := 0
	for _, row := range soundRows(t)[:2] {
		for n := range row {
			checkRow(t, row[:n])
			damaged++
			for _, mask := range []byte{1, 2, 4, 8, 16, 32, 64, 128, 255} {
				other := slices.Clone(row)
				other[n] ^= mask
				checkRow(t, other)
				damaged++
			}
		}
	}
	if damaged < 600 {
		t.Errorf("only %d damaged rows", damaged)
	}
}

// answers are replies as a server sends them, and some that it never would.
var answers = []string{
	"*7\r\n$2\r\nOK\r\n$3\r\n1:a\r\n$1\r\n0\r\n$1\r\n0\r\n$5\r\nclear\r\n$1\r\n0\r\n$0\r\n\r\n",
	"*13\r\n$2\r\nOK\r\n$3\r\n1:a\r\n$1\r\n9\r\n$1\r\n2\r\n$7\r\nmerging\r\n$1\r\n4\r\n$0\r\n\r\n:1\r\n$3\r\n1.5\r\n$1\r\nk\r\n" +
		"*1\r\n*1\r\n$1\r\nk\r\n*1\r\n*1\r\n$5\r\nabcde\r\n*1\r\n*1\r\n$3\r\n1.5\r\n",
	"*10\r\n$3\r\n1:a\r\n$1\r\n0\r\n$1\r\n0\r\n$5\r\nclear\r\n$1\r\n0\r\n$1\r\n3\r\n$1\r\n0\r\n$1\r\n0\r\n$2\r\n80\r\n$1\r\n0\r\n",
	"-ERR no\r\n", "*1000000\r\n", "*-1\r\n", "$5\r", "$99999999\r\nx\r\n", "*2\r\n*99\r\n_\r\n", ":\r\n", "*7\r\n$-1\r\n$-1\r\n$-1\r\n$-1\r\n$-1\r\n$-1\r\n$-1\r\n",
	strings.Repeat("*1\r\n", 500), "*1\r\n$5\r", "*0\r\n",
}

// FuzzAnswer reads any bytes as an answer, a page and a table's truth: no panic, an error that is ErrLost or the server's
// own, and memory in proportion to what came. (A list of nulls takes five bytes each, and 24 here.)
func FuzzAnswer(f *testing.F) {
	for _, text := range answers {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if err := readAll(raw); err != nil && !errors.Is(err, ErrLost) && !isServerError(err) {
			t.Errorf("got %v", err)
		}
		wantBounded(t, "an answer", 64*len(raw), func() { _ = readAll(raw) })
	})
}

func readAll(raw []byte) error {
	_, _ = readTruth(raw)
	a, err := readAnswer(raw)
	if err != nil {
		return err
	}
	lists := a.rest // another reader of the same bytes
	lists.lists()
	if lists.err != nil && !errors.Is(lists.err, ErrLost) && !isServerError(lists.err) {
		return lists.err
	}
	_, err = parsePage(&a, []bound{{"-inf", "+inf"}})
	return err
}

// FuzzTruth reads any text as the fields of a table's truth.
func FuzzTruth(f *testing.F) {
	f.Add("1:a", "1", "2", "clear", "3")
	f.Add("", "18446744073709551616", "4294967296", "Clear", "-1")
	f.Fuzz(func(t *testing.T, epoch, seq, gen, state, version string) {
		a, err := parseAnswer([]any{"OK", epoch, seq, gen, state, version, ""})
		if err != nil && !errors.Is(err, ErrLost) {
			t.Errorf("got %v", err)
		}
		if err == nil && epoch != "" && a.view.State.String() != state {
			t.Errorf("state %q is read as %v", state, a.view.State)
		}
		_ = ownership("1:a", epoch)
		_ = indexesIn(epoch + state)
	})
}
