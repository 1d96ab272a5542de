package layout

import "encoding/binary"

// A row is the generation (u32, big-endian; stamped by the actor), then for each column of the schema, in their order, the length of its
// value and the value (package codec frames them), or, of a column that is dropped or sparse, what says that it is absent. A row may end in
// front of a column that came late: so rows of before need not be touched. The generation alone is a tombstone.

// GenerationBytes is how many bytes of a row are its generation.
const GenerationBytes = 4

// Generation returns the generation of a row of at least GenerationBytes.
func Generation(row []byte) uint32 { return binary.BigEndian.Uint32(row) }

// Tombstone returns the tombstone of a generation.
func Tombstone(generation uint32) []byte { return binary.BigEndian.AppendUint32(nil, generation) }

// IsTombstone tells whether a staged row only hides a merged one.
func IsTombstone(row []byte) bool { return len(row) == GenerationBytes }

// Attributes returns what follows the generation. ok is false if the row is too short to have attributes.
func Attributes(row []byte) (framed []byte, ok bool) {
	if len(row) <= GenerationBytes {
		return nil, false
	}
	return row[GenerationBytes:], true
}

// absent stands where a row has no value in a column. It is the length 0 in more bytes than that needs, with which no value begins.
const absent = "\x80\x00"

// AppendAbsent appends what says that a value is absent.
func AppendAbsent(row []byte) []byte { return append(row, absent...) }

// CutAbsent tells whether the next value in a row is said to be absent, and returns what follows then.
func CutAbsent(framed []byte) (rest []byte, is bool) {
	if len(framed) >= len(absent) && string(framed[:len(absent)]) == absent {
		return framed[len(absent):], true
	}
	return framed, false
}
