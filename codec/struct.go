package codec

import (
	"fmt"
	"strings"
)

// Struct returns a codec of the given parts of a T, in that order. Use it for a primary key of several columns: different values never
// have the same bytes. Fields of T that are no part are neither written nor read. Struct panics without parts, and if PartOf did not
// make one of them.
func Struct[T any](parts ...Part[T]) Codec[T] {
	if len(parts) == 0 {
		panic("codec: Struct without parts")
	}
	for _, p := range parts {
		if p.append == nil {
			panic("codec: Struct of a Part that PartOf did not make")
		}
	}
	return structure[T](append([]Part[T]{}, parts...))
}

// Part is one part of a T; see PartOf.
type Part[T any] struct {
	name   string
	append func(dst []byte, of *T) ([]byte, error)
	decode func(src []byte, into *T) error
}

// PartOf returns the part of a T that at points to, encoded by c. at must be pure and safe for concurrent use. PartOf panics if c or
// at is nil.
func PartOf[T, V any](c Codec[V], at func(*T) *V) Part[T] {
	mustBeGiven(c, "PartOf")
	if at == nil {
		panic("codec: PartOf with a nil function")
	}
	appendTo := Appender(c)
	return Part[T]{
		name:   nameOf(c),
		append: func(dst []byte, of *T) ([]byte, error) { return appendTo(dst, *at(of)) },
		decode: func(src []byte, into *T) (err error) {
			*at(into), err = c.Decode(src)
			return err
		},
	}
}

type structure[T any] []Part[T]

func (c structure[T]) String() string {
	names := make([]string, len(c))
	for i, p := range c {
		names[i] = p.name
	}
	return "struct(" + strings.Join(names, ",") + ")"
}

func (c structure[T]) Append(dst []byte, v T) ([]byte, error) {
	out := dst
	for i, p := range c {
		longer, err := p.append(BeginFrame(out), &v)
		if err != nil {
			return dst, fmt.Errorf("part %d: %w", i, err)
		}
		out = EndFrame(longer, len(out))
	}
	return out, nil
}

func (c structure[T]) Decode(src []byte) (T, error) {
	var v, zero T
	for i, p := range c {
		part, rest, err := CutFrame(src)
		if err == nil {
			err = p.decode(part, &v)
		}
		if err != nil {
			return zero, fmt.Errorf("part %d: %w", i, err)
		}
		src = rest
	}
	if len(src) > 0 {
		return zero, fmt.Errorf("%w: %d bytes left over", ErrData, len(src))
	}
	return v, nil
}
