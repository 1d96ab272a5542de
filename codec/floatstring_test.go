package codec_test

import (
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/tablecache-go/tablecache/codec"
)

func TestFloatAsString(t *testing.T) {
	t.Parallel()
	minusZero := math.Copysign(0, -1)
	conformance[float64]{
		codec: codec.FloatAsString,
		name:  "float-as-string",
		good: []pair[float64]{ // from Python 3's repr
			{0, "0.0"}, {minusZero, "-0.0"}, {1, "1.0"}, {-17.5, "-17.5"}, {0.1, "0.1"}, {1.0 / 3, "0.3333333333333333"},
			{1e-4, "0.0001"}, {1e-5, "1e-05"}, {0.00012345, "0.00012345"}, {1.5e-7, "1.5e-07"}, {9.999999999999999e-05, "9.999999999999999e-05"},
			{1e15, "1000000000000000.0"}, {9999999999999998, "9999999999999998.0"}, {1e16, "1e+16"}, {-1.2345678901234568e+17, "-1.2345678901234568e+17"},
			{1 << 53, "9007199254740992.0"}, {1e22, "1e+22"}, {1e100, "1e+100"}, {5e-324, "5e-324"}, {math.MaxFloat64, "1.7976931348623157e+308"},
			{math.Inf(1), "inf"}, {math.Inf(-1), "-inf"}, {math.NaN(), "nan"}},
		alsoGood: []pair[float64]{
			{5, "5"}, {-5, "-5"}, {0, "0"}, {minusZero, "-0"}, {1e6, "1e+06"}, {1e6, "1000000"}, {1e-7, "0.0000001"}, {1.5e20, "1.5e+20"},
			{1e20, "100000000000000000000"}, {1 << 60, "1152921504606846976"}, // str(2**60) of an int
			{5e-324, strconv.FormatFloat(5e-324, 'f', -1, 64)}},
		badBytes: []string{"", " 1.0", "1.0 ", "1.0\n", "+1.0", "+inf", "-nan", "+nan", "Inf", "INF", "NaN", "NAN", "Infinity", "infinity", "-Infinity",
			"1.", ".5", "1.50", "1.00", "01.0", "00", "1e5", "1E+16", "1e16", "1e+016", "1.0e+16", "1_000.0", "1_000", "0x1p4", "0x10", "0X1P+4",
			"1e999", "-1e999", "1e+400", "1e-400", "0.1000000000000000055511151231257827", "9007199254740993", "1,5", "1.0\x00", "٣", "e", "-", "--1.0",
			"1" + strings.Repeat("0", 1000), strings.Repeat("9", 400)},
		same: func(a, b float64) bool { return sameBits(a, b) || math.IsNaN(a) && math.IsNaN(b) },
	}.check(t)
}

// Whatever bits a number has, its text reads back as the same bits.
func TestFloatAsStringIsExact(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		v := math.Float64frombits(rng.Uint64())
		if math.IsNaN(v) {
			continue
		}
		b, err := codec.FloatAsString.Append(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		if w, err := codec.FloatAsString.Decode(b); err != nil || !sameBits(v, w) {
			t.Fatalf("%v became %q, then %v, %v", v, b, w, err)
		}
	}
}
