package table

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"

	"github.com/tablecache-go/tablecache/table/internal/layout"
)

// Token says where a page of Page ended. It is opaque, safe in a URL, and valid on every handle of the table, whatever has
// changed since; with another spec (index, intervals or direction) it is ErrInvalidSpec, and so is a damaged one.
type Token string

// place is what a token tells: the score and the key behind which the next page begins, and the interval that they lie in.
type place struct {
	interval int // among those of the spec that are not empty, in the order in which they are read
	score    float64
	key      []byte
}

// tokenHead is the spec's hash, the interval and the score; the key follows, and then the hash of all that.
const (
	tokenHead = 8 + 2 + 8
	tokenTail = 4
)

func newToken(spec uint64, at place) Token {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, tokenHead+len(at.key)+tokenTail), spec)
	b = binary.BigEndian.AppendUint16(b, uint16(at.interval))
	b = binary.BigEndian.AppendUint64(b, math.Float64bits(at.score))
	b = append(b, at.key...)
	b = binary.BigEndian.AppendUint32(b, checksum(b))
	return Token(base64.RawURLEncoding.EncodeToString(b))
}

// place reads a token of a spec.
func (t Token) place(spec uint64) (place, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(string(t))
	if err != nil || len(b) < tokenHead+tokenTail || checksum(b[:len(b)-tokenTail]) != binary.BigEndian.Uint32(b[len(b)-tokenTail:]) {
		return place{}, fmt.Errorf("%w: the token is damaged", ErrInvalidSpec)
	}
	if binary.BigEndian.Uint64(b) != spec {
		return place{}, fmt.Errorf("%w: the token belongs to another spec", ErrInvalidSpec)
	}
	return place{
		interval: int(binary.BigEndian.Uint16(b[8:])),
		score:    math.Float64frombits(binary.BigEndian.Uint64(b[10:])),
		key:      b[tokenHead : len(b)-tokenTail],
	}, nil
}

func checksum(b []byte) uint32 {
	h := fnv.New32a()
	h.Write(b)
	return h.Sum32()
}

// specHash names what of a spec a token depends on.
func specHash(table, index string, bounds []layout.Bound, reverse bool) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%q %q %t", table, index, reverse)
	for _, b := range bounds {
		fmt.Fprintf(h, " %s %s", b.Min, b.Max)
	}
	return h.Sum64()
}
