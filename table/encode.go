package table

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// Bounds on what is sent. They are below those at which a server closes the connection without an answer.
const (
	maxKeyBytes    = 64 << 10  // one encoded key, which each index holds once more
	maxRowBytes    = 64 << 20  // one encoded record
	maxAtomicBytes = 256 << 20 // the records of one atomic write
)

// coder turns records into rows and back. It is safe for concurrent use.
type coder[R any, K comparable] struct {
	def     Definition[R, K] // in the order of the schema: see Definition.under
	missing map[string]error // why nothing can be read by some of the caller's indexes
	sent    wire.Average     // the bytes of a record that was encoded, with its key and scores
}

// encode turns records into rows, which lie in one buffer that nothing else uses. Of two records with the
// same key the later one wins. encode keeps nothing of the caller's.
func (c *coder[R, K]) encode(records []R) ([]engine.Row, error) {
	e := encoder[R, K]{
		def:  &c.def,
		buf:  make([]byte, 0, len(records)*c.sent.Guess()),
		ends: make([]int, 0, len(records)*(2+len(c.def.Indexes))),
	}
	for i := range records {
		if err := e.add(&records[i]); err != nil {
			return nil, err
		}
	}
	c.sent.Learn(len(e.buf), len(records))
	return e.rows(records)
}

// encoder collects where in its buffer each part of a row ends. It keeps no slices, because the buffer may move while it grows.
type encoder[R any, K comparable] struct {
	def  *Definition[R, K]
	buf  []byte
	ends []int  // where each part ends: key, row, score, score, ...
	at   string // the attribute that is being encoded: an error names it
}

func (e *encoder[R, K]) add(r *R) error {
	start := len(e.buf)
	if err := e.addStored(r, start); err != nil {
		return err
	}
	return e.addScores(r, start)
}

// addStored adds the key and the row.
func (e *encoder[R, K]) addStored(r *R, start int) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = e.fail(start, panicked(p))
		}
	}()
	if err := e.addKey(r); err != nil {
		return e.fail(start, err)
	}
	if err := e.addRow(r); err != nil {
		return e.fail(start, err)
	}
	return nil
}

func (e *encoder[R, K]) addKey(r *R) (err error) {
	e.at = ""
	key := e.def.PrimaryKey
	start := len(e.buf)
	if e.buf, err = key.append(e.buf, key.of(r)); err != nil {
		return err
	}
	if err := checkKeySize(len(e.buf) - start); err != nil {
		return err
	}
	e.ends = append(e.ends, len(e.buf))
	return nil
}

func (e *encoder[R, K]) addRow(r *R) (err error) {
	start := len(e.buf)
	e.buf = append(e.buf, 0, 0, 0, 0)
	for i := range e.def.Attributes {
		a := &e.def.Attributes[i]
		if a.append == nil {
			e.buf = layout.AppendAbsent(e.buf)
			continue
		}
		e.at = a.name
		if e.buf, err = appendFramed(e.buf, r, a.append); err != nil {
			return err
		}
	}
	if len(e.buf)-start > maxRowBytes {
		return fmt.Errorf("%w: a row of more than %d bytes", ErrTooLarge, maxRowBytes)
	}
	e.at = ""
	e.ends = append(e.ends, len(e.buf))
	return nil
}

// appendFramed appends what part appends, in a frame.
func appendFramed[R any](dst []byte, r *R, part func([]byte, *R) ([]byte, error)) ([]byte, error) {
	start := len(dst)
	framed, err := part(codec.BeginFrame(dst), r)
	if err != nil {
		return dst, err
	}
	return codec.EndFrame(framed, start), nil
}

func (e *encoder[R, K]) addScores(r *R, start int) error {
	for i := range e.def.Indexes {
		x := &e.def.Indexes[i]
		score, err := x.of(r)
		if err != nil {
			failed := e.fail(start, err)
			failed.Index = x.name
			return failed
		}
		e.buf = layout.AppendScore(e.buf, score)
		e.ends = append(e.ends, len(e.buf))
	}
	return nil
}

// of returns the score of a record, unless that cannot be stored.
func (x *Index[R]) of(r *R) (float64, error) {
	score, err := callScore(x, r)
	if err == nil && math.IsNaN(score) {
		err = fmt.Errorf("%w: score is NaN", codec.ErrValue)
	}
	return score, err
}

func callScore[R any](x *Index[R], r *R) (score float64, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(p)
		}
	}()
	return x.score(r), nil
}

func (e *encoder[R, K]) fail(start int, err error) *CodingError {
	c := &CodingError{Table: e.def.Name, Attribute: e.at, Err: asValueError(err)}
	if len(e.ends)%(2+len(e.def.Indexes)) != 0 {
		c.Key = layout.KeyHash(e.buf[start:e.ends[len(e.ends)-len(e.ends)%(2+len(e.def.Indexes))]])
	}
	return c
}

// rows cuts the buffer, which grows no more, into rows.
func (e *encoder[R, K]) rows(records []R) ([]engine.Row, error) {
	per := len(e.def.Indexes)
	rows := make([]engine.Row, len(records))
	scores := make([]engine.Bytes, len(records)*per)
	from, next := 0, 0
	cut := func() engine.Bytes {
		b := e.buf[from:e.ends[next]:e.ends[next]]
		from, next = e.ends[next], next+1
		return b
	}
	for i := range rows {
		rows[i] = engine.Row{Key: cut(), Value: cut(), Scores: scores[i*per : (i+1)*per : (i+1)*per]}
		for j := range rows[i].Scores {
			rows[i].Scores[j] = cut()
		}
	}
	return e.lastWins(rows, records)
}

// lastWins drops all but the latest row of each key, and refuses unequal keys that have the same bytes.
func (e *encoder[R, K]) lastWins(rows []engine.Row, records []R) ([]engine.Row, error) {
	if len(rows) < 2 {
		return rows, nil
	}
	dropped, known := false, newDedup(len(rows))
	for i := range rows {
		j := known.replace(rows, i)
		if j < 0 {
			continue
		}
		if err := e.sameKey(&records[i], &records[j], rows[i].Key); err != nil {
			return nil, err
		}
		dropped, rows[j].Value = true, nil
	}
	if !dropped {
		return rows, nil
	}
	return slices.DeleteFunc(rows, func(r engine.Row) bool { return r.Value == nil }), nil
}

func (e *encoder[R, K]) sameKey(a, b *R, bytes []byte) error {
	of := e.def.PrimaryKey.of
	if of(a) == of(b) {
		return nil
	}
	return &CodingError{Table: e.def.Name, Key: layout.KeyHash(bytes),
		Err: fmt.Errorf("%w: two unequal keys have the same bytes", codec.ErrValue)}
}

// encodeKeys encodes keys. A key that is given twice comes once.
func (d *Definition[R, K]) encodeKeys(given []K) ([]engine.Bytes, error) {
	if len(given) == 1 {
		b, err := d.encodeKey(given[0])
		return []engine.Bytes{b}, err
	}
	out := make([]engine.Bytes, 0, len(given))
	known := make(map[string]K, len(given))
	for _, k := range given {
		b, err := d.encodeKey(k)
		if err != nil {
			return nil, err
		}
		before, twice := known[string(b)]
		if twice && isAnother(before, k) {
			return nil, &CodingError{Table: d.Name, Key: layout.KeyHash(b),
				Err: fmt.Errorf("%w: two unequal keys have the same bytes", codec.ErrValue)}
		}
		if !twice {
			known[string(b)] = k
			out = append(out, b)
		}
	}
	return out, nil
}

// isAnother tells whether two keys differ. Keys in an interface may be of a type that == panics on, such as []byte: there equal
// bytes, which both have, make equal keys.
func isAnother[K comparable](a, b K) bool {
	return reflect.ValueOf(&a).Elem().Comparable() && reflect.ValueOf(&b).Elem().Comparable() && a != b
}

func (d *Definition[R, K]) encodeKey(k K) (b []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &CodingError{Table: d.Name, Err: panicked(p)}
		}
	}()
	if b, err = d.PrimaryKey.append(nil, k); err == nil {
		err = checkKeySize(len(b))
	}
	if err != nil {
		return nil, &CodingError{Table: d.Name, Err: asValueError(err)}
	}
	return b, nil
}

// KeyHash returns a short hash of a key, as errors name it; empty if the key cannot be encoded.
func (t *Table[R, K]) KeyHash(key K) string {
	return t.def.keyHash(key)
}

func (d *Definition[R, K]) keyHash(key K) string {
	b, err := d.encodeKey(key)
	if err != nil {
		return ""
	}
	return layout.KeyHash(b)
}

func checkKeySize(n int) error {
	if n > maxKeyBytes {
		return fmt.Errorf("%w: a key of %d bytes, at most %d", ErrTooLarge, n, maxKeyBytes)
	}
	return nil
}

// asValueError returns the error of encoding as one that Is codec.ErrValue, unless its kind is known.
func asValueError(err error) error {
	if errors.Is(err, codec.ErrValue) || errors.Is(err, ErrMissingAttribute) || errors.Is(err, ErrPanic) || errors.Is(err, ErrTooLarge) {
		return err
	}
	return &concealed{side: codec.ErrValue, err: err}
}

// panicked returns ErrPanic with the type of the panic's value. The text may hold a part of a record, so it is not told.
func panicked(p any) error { return fmt.Errorf("%w: %T", ErrPanic, p) }
