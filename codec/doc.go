// Package codec turns typed values into bytes and back. Package table uses it to store the parts of a record.
//
// A [Codec] is a pair of pure functions. The ones here write the same bytes as the Python library "tablecache", so that each
// reads what the other wrote:
//
//	Bool                      00 or 01
//	String, Bytes             the bytes; a string must be valid UTF-8, in both directions
//	Int8 … Uint64             big-endian, two's complement
//	Float32, Float64          IEEE 754, big-endian
//	IntAsString …             decimal text as Python's str writes it: -17, 1.0, 1e+16, inf, -inf, nan
//	UUID                      16 bytes
//	UTCDatetime               Float64 of the seconds since 1970
//	Time                      Int64 of the nanoseconds since 1970
//	Nullable                  00, or 01 and the value
//	Array                     for each element two bytes of length (big-endian) and the element
//	Struct                    for each part a uvarint length and the part
//	JSON, Text                what the type's own marshalling writes
//
// Decoding is strict. Bytes left over, bytes missing, an unknown marker, or text that no encoder writes are errors, and no input
// makes a decoder panic. Nor does it make one allocate more than the input justifies: twice its length and a few KiB, plus, for the
// compound ones, the memory of the values that are really there (an element of an Array takes two bytes of input or more).
//
// Errors wrap [ErrValue] or [ErrData]. Their texts tell lengths, positions and types, never a value or a byte of one.
//
// All codecs here are safe for concurrent use, if those that they are made of are. Each is a [fmt.Stringer] that names itself and its
// parts, as in nullable(int8). A table keeps these names as part of its schema and is not opened under others: they never change.
package codec
