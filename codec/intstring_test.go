package codec_test

import (
	"math"
	"testing"

	"github.com/tablecache-go/tablecache/codec"
)

// notIntegers are texts that Python's int, strconv or some other reader might take, and no encoder writes.
var notIntegers = []string{"", "-", "+1", "-0", "00", "007", "-01", " 1", "1 ", "1\n", " 1_000 ", "1_000",
	"1,000", "1.0", "1e3", "0x10", "0b1", "٣", "inf", "nan", "--1", "1-", "1\x00", "\xff"}

func TestIntAsString(t *testing.T) {
	t.Parallel()
	conformance[int64]{
		codec: codec.IntAsString,
		name:  "int-as-string",
		good: []pair[int64]{{0, "0"}, {-17, "-17"}, {1000, "1000"},
			{math.MinInt64, "-9223372036854775808"}, {math.MaxInt64, "9223372036854775807"}},
		badBytes: append([]string{"9223372036854775808", "-9223372036854775809", "100000000000000000000"}, notIntegers...),
	}.check(t)
}
