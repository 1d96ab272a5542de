package layout

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
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
		got, err := strconv.ParseFloat(ScoreText(want), 64)
		if err != nil || math.Float64bits(got) != math.Float64bits(want) {
			t.Errorf("%v is written as %s and read as %v, %v", want, ScoreText(want), got, err)
		}
	}
}

func TestScoresAreReadAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	for _, f := range []float64{0, math.Copysign(0, -1), 1, -1, 17, 1e14, 999999999999999, 1e15, 1<<53 - 1, 1 << 53, 1 << 60, -1 << 40,
		0.1, -2.5, 5e-324, math.MaxFloat64, math.Inf(1), math.Inf(-1)} {
		if got := ScoreOf(AppendScore(nil, f)); math.Float64bits(got) != math.Float64bits(f) {
			t.Errorf("%v is read as %v", f, got)
		}
	}
}
