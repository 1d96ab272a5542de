package table

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/tablecache-go/tablecache/engine"
)

// The text of a score is read back as the very same bits; large integers are not written with digits they do not have.
func TestU15_TheTextOfAScoreIsExact(t *testing.T) {
	t.Parallel()
	const limit = 1 << 53
	scores := []float64{0, math.Copysign(0, -1), 1, -1, 0.1, 1_800_000_000, 1e15 + 0.5, limit - 1, limit, limit + 2, -limit + 1, -limit,
		1 << 62, -(1 << 63), 1 << 63, 1e300, math.SmallestNonzeroFloat64, math.MaxFloat64, math.Inf(1), math.Inf(-1)}
	for random := rand.New(rand.NewPCG(1, 1)); len(scores) < 10_000; {
		scores = append(scores, random.Float64()*1e18, float64(random.Int64()), float64(random.Int32N(1000)))
	}
	for _, want := range scores {
		got, err := strconv.ParseFloat(scoreText(want), 64)
		if err != nil || math.Float64bits(got) != math.Float64bits(want) {
			t.Errorf("%v is written as %s and read as %v, %v", want, scoreText(want), got, err)
		}
	}
}

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
	rows, err := unopened().encode(records)
	if err != nil {
		t.Fatal(err)
	}
	wanted, err := unopened().encode(want)
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
	if err := checkBatches(rows, 10_000); err != nil {
		t.Errorf("got %v", err)
	}
	rows[1200].Value = make([]byte, 10_000)
	if err := checkBatches(rows, 10_000); !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v, want ErrTooLarge", err)
	}
}
