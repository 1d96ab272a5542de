package codec

import (
	"fmt"
	"reflect"
)

// Codec encodes values of type T as bytes and decodes them again. Equal values must have equal bytes if they are to be keys.
//
// A codec of your own must be safe for concurrent use and should wrap ErrValue and ErrData in its errors, without telling the value.
// Give it a String method: that name stands in the schema of a table, and a type's own name changes more easily.
type Codec[T any] interface {
	// Append appends the encoding of v to dst and returns the longer slice, which may share memory with dst. After an error, which
	// wraps ErrValue, it returns dst as it was. It keeps neither dst nor anything of v. If it returns anything else, or has written
	// to the bytes of dst, the caller gets ErrContract: see Appender.
	Append(dst []byte, v T) ([]byte, error)
	// Decode returns the value whose encoding is exactly src, or an error that wraps ErrData. The value is the caller's own: it
	// shares no memory with src, and Decode does not write to src. (A table bounds the damage of a Decode that breaks this: a
	// value that shares memory with src stays correct but keeps a whole answer in memory, and a write to src changes no other
	// value and nothing that is stored.)
	Decode(src []byte) (T, error)
}

// Keeper is a Codec that need not copy what it decodes. A table decodes with DecodeKept, and gives each row memory of its own, which
// the record may share.
type Keeper[T any] interface {
	Codec[T]
	// DecodeKept decodes as Decode does, but the value may share memory with src. Nobody writes to src from then on.
	DecodeKept(src []byte) (T, error)
}

// nameOf names a codec, ours or not, as part of the name of another.
func nameOf(c any) string {
	if s, ok := c.(fmt.Stringer); ok {
		return s.String()
	}
	return fmt.Sprintf("%T", c)
}

func typeName[T any]() string { return reflect.TypeFor[T]().String() }

// mustBeGiven panics where a codec is nil, so that the mistake shows where it was made and not at the first record.
func mustBeGiven[T any](c Codec[T], constructor string) {
	if c == nil {
		panic("codec: " + constructor + " of a nil codec")
	}
}
