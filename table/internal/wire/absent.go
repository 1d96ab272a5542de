package wire

import (
	"errors"
	"strings"
)

// ErrNoTable: there is no table of this name.
var ErrNoTable = errors.New("tablecache: no such table")

// ErrSchemaMismatch: the table in Redis was written under another definition.
var ErrSchemaMismatch = errors.New("tablecache: table has another schema")

// ErrIndexBuilding: the index is not complete, or is known to the reader alone.
var ErrIndexBuilding = errors.New("tablecache: the index is being built")

// MovedError: the rows of the table are written under another schema than they were asked for. It Is ErrSchemaMismatch. Ask again under
// the stored schema, if that can be read.
type MovedError struct{ Stored string }

// Error tells no more than that.
func (*MovedError) Error() string { return ErrSchemaMismatch.Error() }

// Unwrap returns ErrSchemaMismatch.
func (*MovedError) Unwrap() error { return ErrSchemaMismatch }

// SchemaError is an ErrSchemaMismatch with every difference that was found. It names attributes,
// indexes and codecs, and no part of a record.
type SchemaError struct {
	Table       string
	Differences []string
}

// Error tells all differences.
func (e *SchemaError) Error() string {
	return ErrSchemaMismatch.Error() + ": " + strings.Join(e.Differences, "; ")
}

// Unwrap returns ErrSchemaMismatch.
func (e *SchemaError) Unwrap() error { return ErrSchemaMismatch }
