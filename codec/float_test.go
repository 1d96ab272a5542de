package codec_test

import (
	"math"
	"testing"

	"github.com/tablecache-go/tablecache/codec"
)

func sameBits(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) }

func TestFloat32(t *testing.T) {
	t.Parallel()
	nan := math.Float32frombits(0x7fc00123)
	conformance[float32]{
		codec: codec.Float32,
		name:  "float32",
		good: []pair[float32]{{1.5, unhex("3fc00000")}, {0, unhex("00000000")}, {float32(math.Copysign(0, -1)), unhex("80000000")},
			{float32(math.Inf(1)), unhex("7f800000")}, {float32(math.Inf(-1)), unhex("ff800000")}, {nan, unhex("7fc00123")},
			{math.MaxFloat32, unhex("7f7fffff")}, {math.SmallestNonzeroFloat32, unhex("00000001")}},
		badBytes: []string{"", unhex("3fc000"), unhex("3fc0000000"), unhex("3ff8000000000000")},
		same:     func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) },
	}.check(t)
}

func TestFloat64(t *testing.T) {
	t.Parallel()
	conformance[float64]{
		codec: codec.Float64,
		name:  "float64",
		good: []pair[float64]{{1.5, unhex("3ff8000000000000")}, {0, unhex("0000000000000000")}, {math.Copysign(0, -1), unhex("8000000000000000")},
			{math.Inf(1), unhex("7ff0000000000000")}, {math.Inf(-1), unhex("fff0000000000000")},
			{math.Float64frombits(0x7ff8000000000123), unhex("7ff8000000000123")},
			{math.MaxFloat64, unhex("7fefffffffffffff")}, {math.SmallestNonzeroFloat64, unhex("0000000000000001")}},
		badBytes: []string{"", unhex("3fc00000"), unhex("3ff800000000000000")},
		same:     sameBits,
	}.check(t)
}
