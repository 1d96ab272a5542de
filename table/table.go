package table

import "slices"

// Table is an open table. It is safe for concurrent use. Get one with Open, end it with Close.
type Table[R any, K comparable] struct {
	*owner
	handle[R, K]
	given Definition[R, K] // what it was opened with; the handle has it in the order of the schema
}

// Definition returns the definition that the table was opened with. The caller owns its slices.
func (t *Table[R, K]) Definition() Definition[R, K] {
	d := t.given
	d.Attributes, d.Indexes = slices.Clone(d.Attributes), slices.Clone(d.Indexes)
	return d
}
