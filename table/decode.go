package table

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tablecache-go/tablecache/codec"
)

// decoder turns the rows of one call back into records, one after another in the same place: a record that is handed on is
// a copy of it, and costs no allocation of its own.
type decoder[R any, K comparable] struct {
	t      *Table[R, K]
	record R
	at     string // what is being decoded, should it panic
}

func (t *Table[R, K]) decoder() *decoder[R, K] { return &decoder[R, K]{t: t} }

// decode decodes a row, of which it keeps nothing, into d.record. key is only named, by its hash, in an error.
func (d *decoder[R, K]) decode(key, row []byte) (err error) {
	defer d.explain(key, &err)
	return d.parts(row)
}

// explain makes a *CodingError of what went wrong, and leaves no half of a record behind.
func (d *decoder[R, K]) explain(key []byte, err *error) {
	if p := recover(); p != nil {
		*err = panicked(p)
	}
	if *err != nil {
		var none R
		d.record = none
		*err = &CodingError{Table: d.t.def.Name, Key: keyHash(key), Attribute: d.at, Decoding: true, Err: asDataError(*err)}
	}
}

func (d *decoder[R, K]) parts(row []byte) error {
	var fresh R
	d.record, d.at = fresh, ""
	rest, err := body(row)
	if err != nil {
		return err
	}
	attributes := d.t.def.Attributes
	for i := range attributes {
		d.at = attributes[i].name
		var part []byte
		if part, rest, err = cutPart(rest); err != nil {
			return err
		}
		if err = attributes[i].decode(part, &d.record); err != nil {
			return err
		}
	}
	d.at = ""
	if len(rest) != 0 {
		return fmt.Errorf("%w: %d bytes left over", codec.ErrData, len(rest))
	}
	return nil
}

func body(row []byte) ([]byte, error) {
	if len(row) <= generationBytes {
		return nil, fmt.Errorf("%w: a row of %d bytes", codec.ErrData, len(row))
	}
	return row[generationBytes:], nil
}

// cutPart returns the next part of a row and what follows it. Most parts are short. A length written in more bytes than it
// takes is not ours.
func cutPart(b []byte) (part, rest []byte, err error) {
	if len(b) > 0 && int(b[0]) < min(len(b), 0x80) {
		end := 1 + int(b[0])
		return b[1:end:end], b[end:], nil
	}
	n, w := binary.Uvarint(b)
	if w <= 0 || n > uint64(len(b)-w) || w > 1 && b[w-1] == 0 {
		return nil, nil, fmt.Errorf("%w: the row is cut short", codec.ErrData)
	}
	end := w + int(n)
	return b[w:end:end], b[end:], nil
}

// judge tells whether the predicate, if any, holds.
func judge[R any](holds func(*R) bool, r *R) (ok bool, err error) {
	if holds == nil {
		return true, nil
	}
	defer func() {
		if p := recover(); p != nil {
			err = panicked(p)
		}
	}()
	return holds(r), nil
}

func asDataError(err error) error {
	if errors.Is(err, codec.ErrData) || errors.Is(err, ErrPanic) {
		return err
	}
	return &concealed{side: codec.ErrData, err: err}
}
