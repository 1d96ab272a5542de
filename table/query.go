package table

import (
	"fmt"
	"slices"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
)

// Query is a Spec that was checked, but for its predicate: what is to be read, and in which order. It is for those who build a handle
// of their own on Follow, that answers as a Table does; package mirror is one. See Definition.Query.
type Query struct {
	Index     int         // which of the definition's
	Intervals []Interval  // those that are not empty, in the order in which they are read
	Reverse   bool        // inside of each interval, too
	Limit     int         // of records for which the predicate holds; 0: none
	Note      NoteVersion // that the moment must have which is read; the zero one: any. Else the answer is ErrNoteChanged

	table, index string
}

// Place is where a page of a listing ends: behind an entry of the query's index, which need not be there any more.
type Place struct {
	Interval int     // which of the query's intervals the entry lies in
	Score    float64 // its score
	Key      []byte  // its encoded key
}

// Query checks a spec as all reads do, and returns what is to be read for it. Records lie in the order of the intervals, inside of one by
// score and then by the bytes of the encoded key; with Reverse it is exactly the other way round. The errors are ErrUnknownIndex
// and ErrInvalidSpec. The indexes of d need no functions.
func (d *Definition[R, K]) Query(s Spec[R]) (Query, error) {
	index, err := d.indexNamed(s.Index)
	if err != nil {
		return Query{}, err
	}
	if s.Limit < 0 {
		return Query{}, fmt.Errorf("%w: limit %d: negative", ErrInvalidSpec, s.Limit)
	}
	if err := checkIntervals(s.Intervals); err != nil {
		return Query{}, err
	}
	in := slices.DeleteFunc(slices.Clone(s.Intervals), Interval.Empty)
	if s.Reverse {
		slices.Reverse(in)
	}
	return Query{Index: index, Intervals: in, Reverse: s.Reverse, Limit: s.Limit, Note: s.Note, table: d.Name, index: s.Index}, nil
}

func (d *Definition[R, K]) indexNamed(name string) (int, error) {
	i := slices.IndexFunc(d.Indexes, func(x Index[R]) bool { return x.name == name && !x.foreign })
	if i < 0 {
		return i, fmt.Errorf("%w: %q", ErrUnknownIndex, name)
	}
	return i, nil
}

// LookupKeys encodes the keys of one look-up, in their order. A key that is given twice comes once. Keys that cannot be encoded are a
// *CodingError, more than 10,000 ErrTooLarge.
func (d *Definition[R, K]) LookupKeys(keys ...K) ([][]byte, error) {
	encoded, err := d.lookupKeys(keys)
	plain := make([][]byte, len(encoded))
	for i, key := range encoded {
		plain[i] = key
	}
	return plain, err
}

// DecodeKey decodes a key, like those of LookupKeys and of a Place; it keeps no reference to its bytes. The error is a *CodingError.
func (d *Definition[R, K]) DecodeKey(key []byte) (K, error) {
	c := decoder[R, K]{def: d}
	return c.decodeKey(key)
}

func (d *Definition[R, K]) lookupKeys(keys []K) ([]engine.Bytes, error) {
	if len(keys) > maxKeys {
		return nil, fmt.Errorf("%w: %d keys, at most %d", ErrTooLarge, len(keys), maxKeys)
	}
	return d.encodeKeys(keys)
}

// maxKeys bounds one look-up, which is one atomic answer.
const maxKeys = 10_000

// Token returns the token of a page that ends at a place.
func (q *Query) Token(at Place) Token { return newToken(q.hash(), at) }

// Place returns where the page ended that a token is from: the next one begins behind that. ErrInvalidSpec: the token is damaged, or of
// another table, index, intervals or direction.
func (q *Query) Place(t Token) (Place, error) {
	at, err := t.place(q.hash())
	if err != nil {
		return Place{}, err
	}
	if at.Interval >= len(q.Intervals) || !q.Intervals[at.Interval].Contains(at.Score) {
		return Place{}, errDamagedToken
	}
	return at, nil
}

// Fault returns the error of a read that cannot answer the record with this encoded key: a *CodingError, which names a hash of the key.
func (q *Query) Fault(key []byte, err error) error {
	return &CodingError{Table: q.table, Key: layout.KeyHash(key), Decoding: true, Err: err}
}

// hash names what of a query a token depends on.
func (q *Query) hash() uint64 { return specHash(q.table, q.index, boundsOf(q.Intervals), q.Reverse) }

// Holds tells whether a predicate, the Recheck of a spec, holds for a record; nil holds for all. A panic of the predicate is ErrPanic.
func Holds[R any](recheck func(*R) bool, r *R) (holds bool, err error) {
	if recheck == nil {
		return true, nil
	}
	defer func() {
		if p := recover(); p != nil {
			err = panicked(p)
		}
	}()
	return recheck(r), nil
}
