package table

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tablecache-go/tablecache/engine"
)

// Of many records with few keys the last of each is encoded, in the order of the last ones.
func TestG12_TheLastOfEachKeyWins(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(2, 2))
	for _, keys := range []int{1, 3, 500, 100_000} {
		records, last := departures(1000), make(map[int64]int)
		for i := range records {
			records[i].ID = int64(random.IntN(keys))
			last[records[i].ID] = i
		}
		want := make([]departure, 0, len(last))
		for i := range records {
			if last[records[i].ID] == i {
				want = append(want, records[i])
			}
		}
		sameRows(t, records, want)
	}
}

// sameRows fails unless records are encoded to just the rows that want is encoded to.
func sameRows(t *testing.T, records, want []departure) {
	t.Helper()
	rows, err := departureCoder().encode(records)
	if err != nil {
		t.Fatal(err)
	}
	wanted, err := departureCoder().encode(want)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != len(wanted) {
		t.Fatalf("%d rows, want %d", len(rows), len(wanted))
	}
	for i := range rows {
		if string(rows[i].Key) != string(wanted[i].Key) || string(rows[i].Value) != string(wanted[i].Value) {
			t.Errorf("row %d is not that of record %d", i, want[i].ID)
		}
	}
}

// Each thousand rows are one atomic write, and have a bound of their own.
func TestAnAtomicWriteIsBounded(t *testing.T) {
	t.Parallel()
	rows := slices.Repeat([]engine.Row{{Key: make([]byte, 1), Value: make([]byte, 9)}}, 1500)
	if err := checkAtomic(rows, 10_000); err != nil {
		t.Errorf("got %v", err)
	}
	rows[1200].Value = make([]byte, 10_000)
	if err := checkAtomic(rows, 10_000); !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v, want ErrTooLarge", err)
	}
}
