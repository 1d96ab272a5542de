package table

// Table is an open table. It is safe for concurrent use. Get one with Open, end it with Close.
type Table[R any, K comparable] struct {
	*owner
	coder[R, K]
	buffer int // records in the channel of a Stream
}

// All returns the spec of all records in the order of an index.
func (t *Table[R, K]) All(index string) Spec[R] {
	return Spec[R]{Index: index, Intervals: []Interval{Everything()}}
}

// Range returns the spec of the records whose score in an index is at least ge and less than lt.
func (t *Table[R, K]) Range(index string, ge, lt float64) Spec[R] {
	return Spec[R]{Index: index, Intervals: []Interval{{GE: ge, LT: lt}}}
}
