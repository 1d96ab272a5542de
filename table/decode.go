package table

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tablecache-go/tablecache/codec"
)

// decode turns a row back into a record. key is only named, by its hash, in an error.
func (t *Table[R, K]) decode(key, row string) (r R, err error) {
	at := ""
	defer func() {
		if p := recover(); p != nil {
			err = panicked(p)
		}
		if err != nil {
			err = &CodingError{Table: t.def.Name, Key: keyHash(key), Attribute: at, Decoding: true, Err: asDataError(err)}
		}
	}()
	rest, err := body(row)
	if err != nil {
		return r, err
	}
	for i := range t.def.Attributes {
		a := &t.def.Attributes[i]
		at = a.name
		var part []byte
		if part, rest, err = cutPart(rest); err != nil {
			return r, err
		}
		if err = a.decode(part, &r); err != nil {
			return r, err
		}
	}
	at = ""
	if len(rest) != 0 {
		return r, fmt.Errorf("%w: %d bytes left over", codec.ErrData, len(rest))
	}
	return r, nil
}

func body(row string) ([]byte, error) {
	if len(row) <= generationBytes {
		return nil, fmt.Errorf("%w: a row of %d bytes", codec.ErrData, len(row))
	}
	return []byte(row)[generationBytes:], nil
}

// cutPart returns the next part of a row and what follows it.
func cutPart(b []byte) (part, rest []byte, err error) {
	n, w := binary.Uvarint(b)
	if w <= 0 || n > uint64(len(b)-w) {
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
	return fmt.Errorf("%w: %w", codec.ErrData, err)
}
