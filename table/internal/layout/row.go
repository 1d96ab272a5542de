package layout

import "encoding/binary"

// A row is the generation (u32, big-endian; stamped by the actor), then for each attribute in definition order its length and
// its bytes (package codec frames them). The generation alone is a tombstone.

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
