package table

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/internal/memtest"
	"github.com/tablecache-go/tablecache/table/internal/layout"
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

// parcels encodes and decodes.
func parcels() *coder[parcel, int64] {
	return &coder[parcel, int64]{def: Definition[parcel, int64]{
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
	parcels := parcels()
	d := parcels.decoder()
	err := d.decode([]byte("key"), row)
	var c *CodingError
	switch {
	case err != nil:
		if !errors.As(err, &c) || !errors.Is(err, codec.ErrData) {
			t.Errorf("got %v", err)
		}
	default:
		again, err := parcels.encode([]parcel{d.record})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again[0].Value[layout.GenerationBytes:], row[layout.GenerationBytes:]) {
			t.Errorf("%x is another form of %x", again[0].Value, row)
		}
	}
	memtest.WantBounded(t, "a row", 2*len(row), func() { _ = d.decode([]byte("key"), row) })
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
