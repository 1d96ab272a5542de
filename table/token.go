package table

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"strings"

	"github.com/tablecache-go/tablecache/table/internal/layout"
)

// Token says where a page of Page ended. It is opaque, safe in a URL, and valid on every handle of the table, for ever: after
// a takeover and after a reset, too. With another table, index, intervals or direction it is ErrInvalidSpec, and so is a damaged
// one. It holds the score and the encoded key of a record, which whoever gets it can read, and can replace by others.
type Token string

var errDamagedToken = fmt.Errorf("%w: the token is damaged", ErrInvalidSpec)

// tokenHead is the spec's hash, the interval and the score; the key follows, and then the hash of all that.
const (
	tokenHead = 8 + 2 + 8
	tokenTail = 4
)

func newToken(spec uint64, at Place) Token {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, tokenHead+len(at.Key)+tokenTail), spec)
	b = binary.BigEndian.AppendUint16(b, uint16(at.Interval))
	b = binary.BigEndian.AppendUint64(b, math.Float64bits(at.Score))
	b = append(b, at.Key...)
	b = binary.BigEndian.AppendUint32(b, checksum(b))
	return Token(base64.RawURLEncoding.EncodeToString(b))
}

// place reads a token of a spec.
func (t Token) place(spec uint64) (Place, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(string(t))
	if err != nil || strings.ContainsAny(string(t), "\r\n") || // DecodeString passes over line ends
		len(b) < tokenHead+tokenTail || checksum(b[:len(b)-tokenTail]) != binary.BigEndian.Uint32(b[len(b)-tokenTail:]) {
		return Place{}, errDamagedToken
	}
	if binary.BigEndian.Uint64(b) != spec {
		return Place{}, fmt.Errorf("%w: the token belongs to another spec", ErrInvalidSpec)
	}
	return Place{
		Interval: int(binary.BigEndian.Uint16(b[8:])),
		Score:    math.Float64frombits(binary.BigEndian.Uint64(b[10:])),
		Key:      b[tokenHead : len(b)-tokenTail],
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
