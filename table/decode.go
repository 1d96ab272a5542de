package table

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/table/internal/layout"
)

// decoder turns the rows of one call back into records. It decodes all of them into the same variable, one after another: callers
// get a copy of it, so that a record costs no allocation of its own.
type decoder[R any, K comparable] struct {
	def    *Definition[R, K]
	record R
	at     string // the attribute that is being decoded: an error names it
}

func (c *coder[R, K]) decoder() *decoder[R, K] { return &decoder[R, K]{def: &c.def} }

// decode decodes a row into d.record. An error names the hash of key.
func (d *decoder[R, K]) decode(key, row []byte) (err error) {
	defer d.explain(key, &err)
	return d.parts(row)
}

// explain turns an error or a panic into a *CodingError, and clears the record, which may be half decoded.
func (d *decoder[R, K]) explain(key []byte, err *error) {
	if p := recover(); p != nil {
		*err = panicked(p)
	}
	if *err != nil {
		var none R
		d.record = none
		*err = &CodingError{Table: d.def.Name, Key: layout.KeyHash(key), Attribute: d.at, Decoding: true, Err: asDataError(*err)}
	}
}

func (d *decoder[R, K]) parts(row []byte) error {
	var fresh R
	d.record, d.at = fresh, ""
	rest, ok := layout.Attributes(row)
	if !ok {
		return fmt.Errorf("%w: a row of %d bytes", codec.ErrData, len(row))
	}
	attributes, ended := d.def.Attributes, false
	for i := range attributes {
		a := &attributes[i]
		d.at = a.name
		ended = ended || a.late && len(rest) == 0
		after, err := d.part(a, rest, ended)
		if err != nil {
			return err
		}
		rest = after
	}
	d.at = ""
	if len(rest) != 0 {
		return fmt.Errorf("%w: %d bytes left over", codec.ErrData, len(rest))
	}
	return nil
}

// part decodes the next part of a row, and returns what follows it. A row that has ended has no part of a.
func (d *decoder[R, K]) part(a *Attribute[R], rest []byte, ended bool) (after []byte, err error) {
	after, absent := rest, ended || a.nowhere
	if a.sparse && !absent {
		after, absent = layout.CutAbsent(rest)
	}
	if absent {
		if a.absent != nil {
			err = a.absent(&d.record)
		}
		return after, err
	}
	part, after, err := codec.CutFrame(rest)
	if err == nil && a.decode != nil {
		err = a.decode(part, &d.record)
	}
	return after, err
}

// decodeKey decodes a key. An error names its hash.
func (d *decoder[R, K]) decodeKey(key []byte) (k K, err error) {
	d.at = ""
	defer d.explain(key, &err)
	k, err = d.def.PrimaryKey.decode(bytes.Clone(key))
	return k, err
}

func asDataError(err error) error {
	if errors.Is(err, codec.ErrData) || errors.Is(err, ErrPanic) {
		return err
	}
	return &concealed{side: codec.ErrData, err: err}
}
