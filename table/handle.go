package table

import (
	"errors"
	"fmt"

	"github.com/tablecache-go/tablecache/table/internal/scan"
)

// handle is what all handles on a table have: the verbs that read.
type handle[R any, K comparable] struct {
	*base
	coder[R, K]
	buffer int // records in the channel of a Stream
}

// All returns the spec of all records in the order of an index.
func (h *handle[R, K]) All(index string) Spec[R] {
	return Spec[R]{Index: index, Intervals: []Interval{Everything()}}
}

// Range returns the spec of the records whose score in an index is at least ge and less than lt.
func (h *handle[R, K]) Range(index string, ge, lt float64) Spec[R] {
	return Spec[R]{Index: index, Intervals: []Interval{{GE: ge, LT: lt}}}
}

// base is what of a handle does not depend on the type of its records.
type base struct {
	name   string
	reader *scan.Reader
}

// Name returns the table's name.
func (b *base) Name() string { return b.name }

// errorf adds the table's name and what was done to an error, unless the error names the table already.
func (b *base) errorf(what string, err error) error {
	if err == nil || errors.As(err, new(*CodingError)) {
		return err
	}
	return fmt.Errorf("table %s: %s: %w", b.name, what, err)
}
