package pg

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tablecache-go/tablecache/cache"
	"github.com/tablecache-go/tablecache/table"
)

// Query reads the records of one index.
type Query struct {
	// SQL selects each record once whose score is at least $1 and below $2: "SELECT … WHERE score >= $1 AND score < $2". An interval that
	// ends with +Inf has scores of +Inf, too: then $2 is NaN, which PostgreSQL sorts above all else, so that the same query serves. A
	// score of NaN is never part of it. Order does not matter.
	SQL string
	// Bound makes the value of a placeholder from a bound, which may be -Inf, +Inf or NaN. If it is nil the value is the float64 itself, for
	// columns of type double precision or numeric. Time and Int are for others.
	Bound func(bound float64) any
}

// Source fetches records from PostgreSQL. It is safe for concurrent use, and needs nothing to be closed: the pool is the caller's.
type Source[R any] struct {
	reader
	scan    pgx.RowToFunc[R]
	queries map[string]Query // by index
}

var _ cache.Source[any] = (*Source[any])(nil)

// NewSource returns a Source that reads each index by a query of its own and makes records of rows with scan, for example
// pgx.RowToStructByName[R]. It asks the database nothing. queries must not be changed afterwards.
//
// A Source made by NewSource cannot fetch by key: see Keyed.
func NewSource[R any](pool *pgxpool.Pool, scan pgx.RowToFunc[R], queries map[string]Query, opts ...SourceOption) *Source[R] {
	s := &Source[R]{reader: reader{pool: pool, rows: defaultRows}, scan: scan, queries: queries}
	for _, apply := range opts {
		apply(&s.reader)
	}
	return s
}

// SourceOption is something that NewSource can be told.
type SourceOption func(*reader)

// WithStatementTimeout has the server give up a fetch where a single step of it, which reads some rows, takes longer than d. The time in which
// nobody asks for more rows does not count. By default, and if d is zero or less, what the role, the database or the server is set to holds.
func WithStatementTimeout(d time.Duration) SourceOption {
	return func(r *reader) { r.timeout = max(d, 0) }
}

// WithRows sets how many rows are read in one step, and held in memory. The default is 1,000; zero or less: the default.
func WithRows(n int) SourceOption {
	return func(r *reader) {
		if n > 0 {
			r.rows = n
		}
	}
}

// Fetch yields the records whose scores in an index are in the intervals, all of one moment: they are read in one transaction, which begins when
// the loop does. An error ends the sequence; a short one without an error is complete. An index that has no query is table.ErrUnknownIndex.
//
// A fetch holds a connection of the pool, and a snapshot of the database, until the loop ends. Leaving the loop gives both back.
func (s *Source[R]) Fetch(ctx context.Context, index string, in []table.Interval) iter.Seq2[R, error] {
	q, known := s.queries[index]
	if !known {
		return failed[R](fmt.Errorf("pg: no query for index %q: %w", index, table.ErrUnknownIndex))
	}
	return s.read(ctx, "fetch by "+index, q.over(in))
}

// over returns the statements that read the intervals.
func (q Query) over(in []table.Interval) (all []statement) {
	value := q.Bound
	if value == nil {
		value = func(bound float64) any { return bound }
	}
	for _, i := range in {
		if !i.Empty() {
			all = append(all, statement{sql: q.SQL, args: []any{value(i.GE), value(above(i.LT))}})
		}
	}
	return all
}

// read yields what statements select, at one moment.
func (s *Source[R]) read(ctx context.Context, what string, all []statement) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		err := s.within(ctx, func(tx pgx.Tx) error { return s.each(ctx, tx, all, yield) })
		if err != nil {
			failed[R](fmt.Errorf("pg: %s: %w", what, err))(yield)
		}
	}
}

// each yields what statements select, until it is stopped.
func (s *Source[R]) each(ctx context.Context, tx pgx.Tx, all []statement, yield func(R, error) bool) error {
	for _, st := range all {
		c, err := s.declare(ctx, tx, st)
		if err != nil {
			return err
		}
		if more, err := s.rest(ctx, c, yield); err != nil || !more {
			return err
		}
		if err := c.close(ctx); err != nil {
			return err
		}
	}
	return nil
}

// rest yields the rows of a cursor, and tells whether it was not stopped. A step is read before any of it is yielded: so no server waits, with a
// statement whose time runs, for who consumes it.
func (s *Source[R]) rest(ctx context.Context, c *cursor, yield func(R, error) bool) (more bool, err error) {
	var step []R
	for full := true; full; full = len(step) == s.rows {
		if step, err = pgx.AppendRows(step[:0], c.next(ctx), s.scan); err != nil {
			return false, err
		}
		for _, r := range step {
			if !yield(r, nil) {
				return false, nil
			}
		}
	}
	return true, nil
}

func failed[R any](err error) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		var none R
		yield(none, err)
	}
}
