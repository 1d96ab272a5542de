package codec

import "encoding/binary"

// Integers of a fixed size, big-endian, two's complement. Encoding never fails; Decode refuses any other number of bytes.
var (
	Int8   Codec[int8]   = integer[int8]{"int8", 1}
	Int16  Codec[int16]  = integer[int16]{"int16", 2}
	Int32  Codec[int32]  = integer[int32]{"int32", 4}
	Int64  Codec[int64]  = integer[int64]{"int64", 8}
	Uint8  Codec[uint8]  = integer[uint8]{"uint8", 1}
	Uint16 Codec[uint16] = integer[uint16]{"uint16", 2}
	Uint32 Codec[uint32] = integer[uint32]{"uint32", 4}
	Uint64 Codec[uint64] = integer[uint64]{"uint64", 8}
)

type integer[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64] struct {
	name string
	size int // in bytes
}

func (c integer[T]) String() string { return c.name }

func (c integer[T]) Append(dst []byte, v T) ([]byte, error) {
	var wide [8]byte
	binary.BigEndian.PutUint64(wide[:], uint64(v))
	return append(dst, wide[8-c.size:]...), nil
}

func (c integer[T]) Decode(src []byte) (T, error) {
	if len(src) != c.size {
		return 0, wrongLength(len(src), c.size)
	}
	var wide [8]byte
	copy(wide[8-c.size:], src)
	return T(binary.BigEndian.Uint64(wide[:])), nil
}
