package table

// Table is an open table. It is safe for concurrent use. Get one with Open, end it with Close.
type Table[R any, K comparable] struct {
	*owner
	handle[R, K]
}
