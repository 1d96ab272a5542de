package layout

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"github.com/tablecache-go/tablecache/internal/memtest"
)

// What is appended to a body comes back.
func TestF3_ABodyTellsRowsAndKeys(t *testing.T) {
	t.Parallel()
	var rows, keys []byte
	size := 0
	scores := []float64{math.Inf(-1), -0.5, 1 << 60, math.Inf(1)}
	for i := range 100 {
		key, row := bytes.Repeat([]byte{byte(i)}, i), bytes.Repeat([]byte{'r'}, 300-i)
		rows = AppendScore64(AppendScore64(AppendRow(rows, key, row), scores[i%4]), float64(i))
		keys = AppendKey(keys, key)
		size += RowSize(key, row, 2)
	}
	if len(rows) != size {
		t.Errorf("%d bytes, RowSize says %d", len(rows), size)
	}
	gotRows, err := RowsOf(rows, 2)
	if err != nil || len(gotRows) != 100 {
		t.Fatalf("%d rows, %v", len(gotRows), err)
	}
	gotKeys, err := KeysIn(keys)
	if err != nil || len(gotKeys) != 100 {
		t.Fatalf("%d keys, %v", len(gotKeys), err)
	}
	for i, r := range gotRows {
		if len(r.Key) != i || len(r.Row) != 300-i || r.Score(0) != scores[i%4] || r.Score(1) != float64(i) || !bytes.Equal(gotKeys[i], r.Key) {
			t.Fatalf("row %d came back otherwise", i)
		}
	}
}

// Any bytes as a body: no panic, no more memory than they justify, and an error that says so.
func FuzzBody(f *testing.F) {
	f.Add(AppendScore64(AppendRow(nil, []byte("key"), []byte("row")), 1), 1)
	f.Add(AppendKey(nil, []byte("key")), 0)
	f.Add([]byte{255, 255, 255, 255, 255, 255, 255, 255}, 3)
	f.Fuzz(func(t *testing.T, body []byte, indexes int) {
		indexes &= 255
		if rows, err := RowsOf(body, indexes); err != nil && (!errors.Is(err, ErrBody) || rows != nil) {
			t.Errorf("rows: %v", err)
		}
		if _, err := KeysIn(body); err != nil && !errors.Is(err, ErrBody) {
			t.Errorf("keys: %v", err)
		}
		memtest.WantBounded(t, "a body", 32*len(body), func() { _, _ = RowsOf(body, indexes); _, _ = KeysIn(body) })
	})
}

func TestASpanContainsWhatItsBoundDoes(t *testing.T) {
	t.Parallel()
	inf := math.Inf(1)
	for _, c := range []struct {
		ge, lt, score float64
		want          bool
	}{
		{0, 1, 0, true}, {0, 1, 1, false}, {0, 1, -1, false}, {-inf, inf, inf, true}, {-inf, inf, -inf, true}, {inf, inf, inf, true},
		{inf, inf, math.MaxFloat64, false}, {0, inf, inf, true}, {-inf, 0, -inf, true}, {-inf, 0, 0, false},
	} {
		if got := BoundOf(c.ge, c.lt).Span().Contains(c.score); got != c.want {
			t.Errorf("[%v, %v) contains %v: %t", c.ge, c.lt, c.score, got)
		}
	}
}
