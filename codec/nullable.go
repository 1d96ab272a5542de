package codec

import "fmt"

// Nullable returns a codec of pointers: nil is the byte 00; any other pointer is the byte 01 and the encoding of its value by c. Decode
// refuses empty input, other markers, and bytes after 00. The codec is a Keeper if c is one. Nullable panics if c is nil.
func Nullable[T any](c Codec[T]) Codec[*T] {
	mustBeGiven(c, "Nullable")
	if k, ok := c.(Keeper[T]); ok {
		return nullableKeeper[T]{nullable[T]{c}, k}
	}
	return nullable[T]{c}
}

const (
	markNull  = 0
	markValue = 1
)

type nullable[T any] struct{ value Codec[T] }

func (c nullable[T]) String() string { return "nullable(" + nameOf(c.value) + ")" }

func (c nullable[T]) Append(dst []byte, v *T) ([]byte, error) {
	if v == nil {
		return append(dst, markNull), nil
	}
	out, err := appendBy(c.value, append(dst, markValue), *v)
	if err != nil {
		return dst, err
	}
	return out, nil
}

func (c nullable[T]) Decode(src []byte) (*T, error) { return decodeNullable(src, c.value.Decode) }

type nullableKeeper[T any] struct {
	nullable[T]
	keeper Keeper[T]
}

func (c nullableKeeper[T]) DecodeKept(src []byte) (*T, error) {
	return decodeNullable(src, c.keeper.DecodeKept)
}

func decodeNullable[T any](src []byte, value func([]byte) (T, error)) (*T, error) {
	switch {
	case len(src) == 0:
		return nil, fmt.Errorf("%w: no marker of null or value", ErrData)
	case src[0] == markNull && len(src) == 1:
		return nil, nil
	case src[0] != markValue:
		return nil, fmt.Errorf("%w: unknown marker of null, or bytes after it", ErrData)
	}
	v, err := value(src[1:])
	if err != nil {
		return nil, err
	}
	return &v, nil
}
