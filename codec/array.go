package codec

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Array returns a codec of slices: for each element its length in two bytes, big-endian, and its encoding by c. It refuses an element
// of more than 65,535 bytes. Nil and empty slices have the same encoding, no bytes, which is decoded to an empty slice that is not
// nil. Decode refuses an array that is cut short, before it allocates anything. Array panics if c is nil.
func Array[T any](c Codec[T]) Codec[[]T] {
	mustBeGiven(c, "Array")
	return array[T]{c}
}

const arrayHead = 2

type array[T any] struct{ element Codec[T] }

func (c array[T]) String() string { return "array(" + nameOf(c.element) + ")" }

func (c array[T]) Append(dst []byte, v []T) ([]byte, error) {
	out := dst
	for i := range v {
		start := len(out)
		longer, err := appendBy(c.element, append(out, 0, 0), v[i])
		if err != nil {
			return dst, fmt.Errorf("element %d: %w", i, err)
		}
		n := len(longer) - start - arrayHead
		if n > math.MaxUint16 {
			return dst, fmt.Errorf("%w: element %d has %d bytes, more than %d", ErrValue, i, n, math.MaxUint16)
		}
		binary.BigEndian.PutUint16(longer[start:], uint16(n))
		out = longer
	}
	return out, nil
}

func (c array[T]) Decode(src []byte) ([]T, error) {
	n, err := countElements(src)
	if err != nil {
		return nil, err
	}
	elements := make([]T, 0, n)
	for rest := src; len(rest) > 0; {
		end := elementEnd(rest)
		e, err := c.element.Decode(rest[arrayHead:end:end])
		if err != nil {
			return nil, fmt.Errorf("element %d: %w", len(elements), err)
		}
		elements, rest = append(elements, e), rest[end:]
	}
	return elements, nil
}

// countElements reads the lengths alone, so that nothing is allocated before all are known to be right.
func countElements(src []byte) (n int, err error) {
	for ; len(src) > 0; n++ {
		if len(src) < arrayHead || len(src) < elementEnd(src) {
			return 0, fmt.Errorf("%w: element %d is cut short", ErrData, n)
		}
		src = src[elementEnd(src):]
	}
	return n, nil
}

func elementEnd(src []byte) int { return arrayHead + int(binary.BigEndian.Uint16(src)) }
