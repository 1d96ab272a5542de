package mirror

import (
	"encoding/binary"
	"errors"
	"hash/maphash"
	"math"
	"reflect"
	"strings"

	"github.com/tablecache-go/tablecache/table"
)

// cell is a record as the mirror holds it. Nobody changes it once it is in a tree: versions, snapshots and readers share it.
type cell[R any, K comparable] struct {
	text   string // see form
	record R
	bad    *table.CodingError // the record could not be decoded; nil: it could
}

// shared returns the record of a cell, or nil where there is none.
func (e *cell[R, K]) shared() *R {
	if e == nil {
		return nil
	}
	return &e.record
}

// err returns why the record could not be decoded, or nil.
func (e *cell[R, K]) err() error {
	if e.bad == nil {
		return nil // not a pointer that is nil in an error that is not
	}
	return e.bad
}

// form is how the text of a cell is made: a hash of its contents, their length, the scores, and the encoded key. Two cells are
// equal in all that if their texts are. It is one string, because the headers of several would be a large part of a small record.
type form struct {
	indexes int
	seeds   [2]maphash.Seed
	size    int    // of a cell without its text and contents
	zeros   string // as long as what goes before the key
}

const (
	hashBytes  = 16
	scoresFrom = hashBytes + 4
)

func newForm[R any, K comparable](indexes int) *form {
	one := int(reflect.TypeFor[slot[R, K]]().Size())
	return &form{
		zeros:   strings.Repeat("\x00", scoresFrom+8*indexes),
		indexes: indexes,
		seeds:   [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()},
		size:    int(reflect.TypeFor[cell[R, K]]().Size()) + one*(indexes+1)*3/2, // nodes are about two thirds full
	}
}

// append appends the text of a row. Contents are told apart by 128 bits under seeds that nobody outside of this process knows: that two
// of 10^9 versions of a row collide is as likely as that the machine errs, and keeping the bytes would double a mirror.
func (f *form) append(dst, contents []byte, scores []float64, key []byte) []byte {
	for _, seed := range f.seeds {
		dst = binary.BigEndian.AppendUint64(dst, maphash.Bytes(seed, contents))
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(contents)))
	for _, score := range scores {
		dst = binary.BigEndian.AppendUint64(dst, math.Float64bits(score))
	}
	return append(dst, key...)
}

// pivot returns a text that has nothing but a key.
func (f *form) pivot(key []byte) string { return f.zeros + string(key) }

func (f *form) key(text string) string { return text[len(f.zeros):] }

func (f *form) score(text string, index int) float64 {
	return math.Float64frombits(number(text[scoresFrom+8*index:]))
}

// bytes estimates how much memory a cell takes.
func (f *form) bytes(text string) int64 {
	return int64(f.size + len(text) + int(number(text[hashBytes:])>>32))
}

// sameContents tells whether two texts are of equal contents, whatever their scores.
func sameContents(a, b string) bool { return a[:scoresFrom] == b[:scoresFrom] }

// number reads up to eight bytes as the first ones of a number of eight.
func number(s string) (n uint64) {
	for i := range 8 {
		n <<= 8
		if i < len(s) {
			n |= uint64(s[i])
		}
	}
	return n
}

// fresh returns the cell of a row under a text.
func fresh[R any, K comparable](text string, r *table.Row[R, K]) *cell[R, K] {
	e := &cell[R, K]{text: text, record: r.Record}
	errors.As(r.Err, &e.bad)
	return e
}
