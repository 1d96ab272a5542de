package codec

// Bytes encodes bytes as they are and never fails. Nil and empty slices have the same encoding, no bytes, which is decoded to an
// empty slice that is not nil.
var Bytes Codec[[]byte] = raw{}

type raw struct{}

func (raw) String() string { return "bytes" }

func (raw) Append(dst, v []byte) ([]byte, error) { return append(dst, v...), nil }

func (raw) Decode(src []byte) ([]byte, error) { return append([]byte{}, src...), nil }
