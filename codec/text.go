package codec

import (
	"encoding"
	"fmt"
)

// Text returns a codec that uses T's own MarshalText and UnmarshalText, as in Text[netip.Addr](). UnmarshalText decides what it
// accepts and how much it allocates; it must copy what it keeps.
//
// Errors tell only the type of the cause, because its text may quote the value.
func Text[T any, P interface {
	*T
	encoding.TextMarshaler
	encoding.TextUnmarshaler
}]() Codec[T] {
	return textCodec[T, P]{}
}

type textCodec[T any, P interface {
	*T
	encoding.TextMarshaler
	encoding.TextUnmarshaler
}] struct{}

func (textCodec[T, P]) String() string { return "text(" + typeName[T]() + ")" }

func (textCodec[T, P]) Append(dst []byte, v T) ([]byte, error) {
	b, err := P(&v).MarshalText()
	if err != nil {
		return dst, fmt.Errorf("%w: %T of a %s as text", ErrValue, err, typeName[T]())
	}
	return append(dst, b...), nil
}

func (textCodec[T, P]) Decode(src []byte) (T, error) {
	var v, zero T
	if err := P(&v).UnmarshalText(src); err != nil {
		return zero, fmt.Errorf("%w: %T of a %s from %d bytes of text", ErrData, err, typeName[T](), len(src))
	}
	return v, nil
}
