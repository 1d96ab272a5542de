package codec

import (
	"encoding/binary"
	"fmt"
)

// guard stands in front of what a foreign codec appends to. No value is likely to begin with it.
const (
	guard      = 0x9d5f_c3a1_7be8_2604
	guardBytes = 8
)

// Appender returns a function that appends as c.Append does, and checks a codec that is not of this package: that codec gets a
// guard instead of the bytes of dst, and if it does not return the guard with an encoding behind it, the error wraps ErrContract.
// After any error dst is returned as it was. A codec of your own that is made of others should append by this function, as
// ours do.
func Appender[T any](c Codec[T]) func(dst []byte, v T) ([]byte, error) {
	if _, is := c.(conforming); is {
		return c.Append
	}
	return func(dst []byte, v T) ([]byte, error) { return appendGuarded(c, dst, v) }
}

// appendBy appends v as Appender(c) does, without making a function.
func appendBy[T any](c Codec[T], dst []byte, v T) ([]byte, error) {
	if _, is := c.(conforming); is {
		return c.Append(dst, v)
	}
	return appendGuarded(c, dst, v)
}

// appendGuarded lets c append to the guard, and appends to dst what c has put behind it.
func appendGuarded[T any](c Codec[T], dst []byte, v T) ([]byte, error) {
	start := len(dst)
	guarded := binary.LittleEndian.AppendUint64(dst, guard)
	out, err := c.Append(guarded[start:], v)
	if err != nil {
		return dst, err
	}
	if len(out) < guardBytes || binary.LittleEndian.Uint64(out) != guard {
		return dst, fmt.Errorf("%w: %T", ErrContract, c)
	}
	return append(guarded[:start], out[guardBytes:]...), nil
}

// conforming marks the codecs of this package. Tests show that they keep the contract, so they need no guard.
type conforming interface{ conforms() }

func (array[T]) conforms()        {}
func (bigIntAsString) conforms()  {}
func (boolean) conforms()         {}
func (float4) conforms()          {}
func (float8) conforms()          {}
func (floatAsString) conforms()   {}
func (intAsString) conforms()     {}
func (integer[T]) conforms()      {}
func (jsonCodec[T]) conforms()    {}
func (moment) conforms()          {}
func (nullable[T]) conforms()     {}
func (raw) conforms()             {}
func (structure[T]) conforms()    {}
func (text) conforms()            {}
func (textCodec[T, P]) conforms() {}
func (utcDatetime) conforms()     {}
func (uuid16) conforms()          {}
