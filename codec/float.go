package codec

import (
	"encoding/binary"
	"math"
)

// IEEE 754 numbers, big-endian. Every bit is kept, also of infinities, NaN and -0. Encoding never fails; Decode refuses any
// other number of bytes. They are doubtful keys: 0 and -0 are equal and have different bytes.
var (
	Float32 Codec[float32] = float4{}
	Float64 Codec[float64] = float8{}
)

type float4 struct{}

func (float4) String() string { return "float32" }

func (float4) Append(dst []byte, v float32) ([]byte, error) {
	return binary.BigEndian.AppendUint32(dst, math.Float32bits(v)), nil
}

func (float4) Decode(src []byte) (float32, error) {
	if len(src) != 4 {
		return 0, wrongLength(len(src), 4)
	}
	return math.Float32frombits(binary.BigEndian.Uint32(src)), nil
}

type float8 struct{}

func (float8) String() string { return "float64" }

func (float8) Append(dst []byte, v float64) ([]byte, error) {
	return binary.BigEndian.AppendUint64(dst, math.Float64bits(v)), nil
}

func (float8) Decode(src []byte) (float64, error) {
	if len(src) != 8 {
		return 0, wrongLength(len(src), 8)
	}
	return math.Float64frombits(binary.BigEndian.Uint64(src)), nil
}
