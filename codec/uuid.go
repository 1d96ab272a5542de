package codec

import "github.com/google/uuid"

// UUID encodes a UUID of any version as its 16 bytes. Encoding never fails; Decode refuses any other number of bytes.
var UUID Codec[uuid.UUID] = uuid16{}

type uuid16 struct{}

func (uuid16) String() string { return "uuid" }

func (uuid16) Append(dst []byte, v uuid.UUID) ([]byte, error) { return append(dst, v[:]...), nil }

func (uuid16) Decode(src []byte) (v uuid.UUID, err error) {
	if len(src) != len(v) {
		return v, wrongLength(len(src), len(v))
	}
	copy(v[:], src)
	return v, nil
}
