package wire

import (
	"errors"
	"strings"
)

// ErrNoTable: there is no table of this name.
var ErrNoTable = errors.New("tablecache: no such table")

// ErrSchemaMismatch: the table in Redis was written under another definition.
var ErrSchemaMismatch = errors.New("tablecache: table has another schema")

// SchemaError is an ErrSchemaMismatch with every difference that was found, in the order of the definition. It names attributes,
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
