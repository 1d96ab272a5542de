package codec

import (
	"encoding/binary"
	"fmt"
)

// A frame is a part's length, as a uvarint, and its bytes. Rows and the codecs of Struct are made of frames.

// BeginFrame begins a frame behind dst and returns the longer slice. Append the part to that, and then call EndFrame with the
// length that dst had before.
func BeginFrame(dst []byte) []byte { return append(dst, 0) }

// EndFrame writes the length of the part that begins behind b[at]. A short part, as most are, stays where it is; a longer one is
// moved to make room for its length.
func EndFrame(b []byte, at int) []byte {
	n := len(b) - at - 1
	if n < 0x80 {
		b[at] = byte(n)
		return b
	}
	var head [binary.MaxVarintLen64]byte
	w := binary.PutUvarint(head[:], uint64(n))
	b = append(b, head[1:w]...)
	copy(b[at+w:], b[at+1:at+1+n])
	copy(b[at:], head[:w])
	return b
}

// CutFrame returns the part in the first frame of src, and what follows the frame; both share src's memory. A length that is
// written in more bytes than it needs, or that is more than src has, is ErrData.
func CutFrame(src []byte) (part, rest []byte, err error) {
	if len(src) > 0 && int(src[0]) < min(len(src), 0x80) { // a short part, as most are
		end := 1 + int(src[0])
		return src[1:end:end], src[end:], nil
	}
	n, w := binary.Uvarint(src)
	switch {
	case w <= 0 || w > 1 && src[w-1] == 0:
		return nil, nil, fmt.Errorf("%w: not a length", ErrData)
	case n > uint64(len(src)-w):
		return nil, nil, fmt.Errorf("%w: cut short", ErrData)
	}
	end := w + int(n)
	return src[w:end:end], src[end:], nil
}
