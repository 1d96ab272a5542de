package codec

import (
	"bytes"
	"math"
	"strconv"
)

// FloatAsString encodes a number as Python's repr does, in the shortest decimal text from which the same number is read: 1.0, 0.1,
// 1e+16, 1e-05, -0.0, inf, -inf, nan. Encoding never fails; all NaN have the same text.
//
// Decode also accepts the shortest texts of strconv ('g' and 'f'), such as 1e+06, and an integer that a float64 holds exactly, such as
// 1000000. It refuses everything else: 1.50, +1, 0x1p4, 1_000, Infinity, and a number out of range. So Decode reads several texts of
// one number, but Append writes only one.
var FloatAsString Codec[float64] = floatAsString{}

type floatAsString struct{}

func (floatAsString) String() string { return "float-as-string" }

func (floatAsString) Append(dst []byte, v float64) ([]byte, error) { return appendRepr(dst, v), nil }

func (floatAsString) Decode(src []byte) (float64, error) {
	if len(src) > maxFloatText {
		return 0, notText(src, "number")
	}
	v, err := strconv.ParseFloat(string(src), 64)
	if err != nil || !isWritten(src, v) { // the error is not wrapped, because it quotes the input
		return 0, notText(src, "number")
	}
	return v, nil
}

// maxFloatText bounds the text of a float64: the smallest numbers take some 340 bytes without an exponent.
const maxFloatText = 400

// isWritten tells whether an encoder would write v as this text.
func isWritten(text []byte, v float64) bool {
	var space [32]byte
	same := func(b []byte) bool { return bytes.Equal(b, text) }
	if same(appendRepr(space[:0], v)) {
		return true
	}
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return false
	}
	return same(strconv.AppendFloat(space[:0], v, 'g', -1, 64)) ||
		same(strconv.AppendFloat(space[:0], v, 'f', -1, 64)) ||
		same(strconv.AppendFloat(space[:0], v, 'f', 0, 64))
}

func appendRepr(dst []byte, v float64) []byte {
	switch a := math.Abs(v); {
	case math.IsNaN(v):
		return append(dst, "nan"...)
	case math.IsInf(v, 1):
		return append(dst, "inf"...)
	case math.IsInf(v, -1):
		return append(dst, "-inf"...)
	case a != 0 && (a < 1e-4 || a >= 1e16):
		return strconv.AppendFloat(dst, v, 'e', -1, 64)
	case a == math.Trunc(a):
		return strconv.AppendFloat(dst, v, 'f', 1, 64)
	default:
		return strconv.AppendFloat(dst, v, 'f', -1, 64)
	}
}
