package codec

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// JSON returns a codec that uses encoding/json. Its rules hold: fields that T does not have are ignored, missing ones stay zero, and
// Marshal replaces invalid UTF-8 inside strings. Decode refuses invalid UTF-8, and bytes after the value other than white space.
//
// Errors tell only the type of the cause, because its text may quote the value. How much Decode allocates depends on T.
func JSON[T any]() Codec[T] { return jsonCodec[T]{} }

type jsonCodec[T any] struct{}

func (jsonCodec[T]) String() string { return "json(" + typeName[T]() + ")" }

func (jsonCodec[T]) Append(dst []byte, v T) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return dst, fmt.Errorf("%w: %T of a %s as JSON", ErrValue, err, typeName[T]())
	}
	return append(dst, b...), nil
}

func (jsonCodec[T]) Decode(src []byte) (T, error) {
	var v, zero T
	if !utf8.Valid(src) {
		return zero, fmt.Errorf("%w: JSON of %d bytes is not valid UTF-8", ErrData, len(src))
	}
	if err := json.Unmarshal(src, &v); err != nil {
		return zero, fmt.Errorf("%w: %T of a %s from %d bytes of JSON", ErrData, err, typeName[T](), len(src))
	}
	return v, nil
}
