package table

import (
	"fmt"
	"slices"

	"github.com/tablecache-go/tablecache/table/internal/layout"
)

// schema returns the definition as the schema of a table that it begins.
func (d *Definition[R, K]) schema() layout.Schema {
	s := layout.Schema{Layout: layout.Version, Key: d.PrimaryKey.kind}
	for _, a := range d.Attributes {
		s.Columns = append(s.Columns, layout.Column{Name: a.name, Codec: a.kind})
	}
	for _, x := range d.Indexes {
		s.Indexes = append(s.Indexes, named(x))
	}
	return s
}

func named[R any](x Index[R]) layout.Index {
	return layout.Index{Name: x.name, Version: x.version, Unstored: x.unstored}
}

// under returns the definition with an attribute for each column of a stored schema and an index for each of its indexes, in their order.
// What the definition does not have stands there as a place: nothing is decoded from the column, and no spec finds the index. Attributes
// that the schema does not have are left out: they stay as they are in a fresh record, which absent sets.
func (d *Definition[R, K]) under(s layout.Schema) Definition[R, K] {
	to := *d
	to.Attributes, to.Indexes = make([]Attribute[R], 0, len(s.Columns)), make([]Index[R], 0, len(s.Indexes))
	for _, c := range s.Columns {
		to.Attributes = append(to.Attributes, d.attributeOf(c))
	}
	for _, a := range d.Attributes {
		if !slices.ContainsFunc(s.Columns, func(c layout.Column) bool { return c.Name == a.name && !c.Dropped }) {
			a.nowhere = true
			to.Attributes = append(to.Attributes, a)
		}
	}
	for _, x := range s.Indexes {
		to.Indexes = append(to.Indexes, d.indexOf(x))
	}
	return to
}

func (d *Definition[R, K]) attributeOf(c layout.Column) Attribute[R] {
	for _, a := range d.Attributes {
		if a.name == c.Name && !c.Dropped {
			a.column = column{late: c.Late, sparse: c.Sparse}
			return a
		}
	}
	return Attribute[R]{name: c.Name, column: column{late: c.Late, sparse: true}}
}

func (d *Definition[R, K]) indexOf(is layout.Index) Index[R] {
	for _, x := range d.Indexes {
		if x.name == is.Name && x.version == is.Version {
			return x
		}
	}
	return Index[R]{name: is.Name, foreign: true, unstored: true, score: func(*R) float64 { return 0 }}
}

// missing returns, by name, why nothing can be read by indexes of the definition that the owner of a table does not maintain.
func (d *Definition[R, K]) missing(s layout.Schema) map[string]error {
	why := make(map[string]error)
	for _, x := range d.Indexes {
		switch {
		case s.Find(named(x)) >= 0:
		case s.IsDropped(x.name):
			why[x.name] = missingError{fmt.Errorf("%w: %q was dropped", ErrUnknownIndex, x.name)}
		default:
			why[x.name] = missingError{fmt.Errorf("%w: %q is not known to the table's owner in this version", ErrIndexBuilding, x.name)}
		}
	}
	return why
}

// missingError says that the schema under which a handle reads does not have an index. It was told without a look at the table.
type missingError struct{ error }

// Unwrap returns why.
func (e missingError) Unwrap() error { return e.error }

// coderUnder returns what reads and writes rows of a schema by the definition.
func (d *Definition[R, K]) coderUnder(s layout.Schema) coder[R, K] {
	return coder[R, K]{def: d.under(s), missing: d.missing(s)}
}
