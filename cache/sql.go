package cache

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"

	"github.com/tablecache-go/tablecache/table"
)

// SQL is a source over database/sql: a query for each index by which something is to be covered.
//
//	src := cache.SQL[Flight]{
//		DB: db,
//		Queries: map[string]cache.SQLQuery{
//			"departure": {Text: `SELECT id, departure FROM flights WHERE departure >= $1 AND departure < $2`, Args: cache.TimeArgs},
//		},
//		Scan: func(rows *sql.Rows) (f Flight, err error) {
//			err = rows.Scan(&f.ID, &f.Departure)
//			return f, err
//		},
//	}
//
// The intervals of one fetch are read one after another, in one transaction, so that what moves from one to another meanwhile is found once.
// It holds a connection until all is read, or nobody wants more.
type SQL[R any] struct {
	DB      *sql.DB
	Queries map[string]SQLQuery        // by the name of the index
	Scan    func(*sql.Rows) (R, error) // makes a record of the present row, and does not call Next
	Tx      *sql.TxOptions             // nil: read-only and sql.LevelRepeatableRead, at which PostgreSQL and MySQL show one moment
}

// SQLQuery yields exactly the records whose score lies in an interval, each once. One that is missing is missing in the table, too; one too
// many is an error of the source.
//
// Text has two placeholders, for GE and LT, or as many as Args makes arguments for. Everything has infinite bounds, and an LT of +Inf
// includes the score +Inf. Where scores are finite, `score >= $1 AND score < $2` will do if the database can compare with infinity, as
// PostgreSQL and SQLite can. For others, as MySQL, let Args make something of infinity that lies beyond all scores. Where scores may be
// infinite write `AND (score < $2 OR $2 = 'infinity')`.
//
// A bound may be any number, such as the next one after a score. What Args makes of it must be among the scores as the bound was: what is
// coarser is rounded up.
type SQLQuery struct {
	Text string
	Args func(table.Interval) ([]any, error) // nil: GE and LT, as float64
}

// SQLByKey is an SQL that finds records by key, too. ByKeys returns the query for some keys, at most 1,000 of them, and its arguments. It
// yields a record for each key that there is, in any order:
//
//	ByKeys: func(ids []int64) (string, []any, error) {
//		return `SELECT id, price FROM flights WHERE id = ANY($1)`, []any{ids}, nil
//	}
type SQLByKey[R any, K comparable] struct {
	SQL[R]
	ByKeys func(keys []K) (query string, args []any, err error)
}

var (
	errNoQuery = errors.New("there is no query for the index")
	errEnough  = errors.New("nobody wants more")

	_ Source[struct{}]            = SQL[struct{}]{}
	_ KeySource[struct{}, string] = SQLByKey[struct{}, string]{}
)

// Fetch yields what the query of the index yields. The errors are those of DB, Scan and Args, and that there is no such query.
func (s SQL[R]) Fetch(ctx context.Context, index string, in []table.Interval) iter.Seq2[R, error] {
	return s.reading(ctx, "index "+index, func(tx *sql.Tx, yield func(R) bool) error {
		q, is := s.Queries[index]
		if !is {
			return errNoQuery
		}
		for _, i := range in {
			args, err := q.args(i)
			if err != nil {
				return err
			}
			if err := s.query(ctx, tx, q.Text, args, yield); err != nil {
				return err
			}
		}
		return nil
	})
}

// FetchKeys yields what the query for the keys yields. The errors are those of DB, Scan and ByKeys.
func (s SQLByKey[R, K]) FetchKeys(ctx context.Context, keys []K) iter.Seq2[R, error] {
	return s.reading(ctx, "by key", func(tx *sql.Tx, yield func(R) bool) error {
		text, args, err := s.ByKeys(keys)
		if err != nil {
			return err
		}
		return s.query(ctx, tx, text, args, yield)
	})
}

func (q SQLQuery) args(i table.Interval) ([]any, error) {
	if q.Args == nil {
		return []any{i.GE, i.LT}, nil
	}
	return q.Args(i)
}

// reading yields what read yields in a transaction, and then the error of that, if there is one.
func (s SQL[R]) reading(ctx context.Context, what string, read func(*sql.Tx, func(R) bool) error) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		err := s.inTx(ctx, func(tx *sql.Tx) error {
			return read(tx, func(r R) bool { return yield(r, nil) })
		})
		if err == nil || errors.Is(err, errEnough) {
			return
		}
		if ctx.Err() != nil && !(errors.Is(err, ctx.Err()) && errors.Is(err, context.Cause(ctx))) {
			err = fmt.Errorf("%w: %w", ended(ctx), err) // others say that in words of their own, if at all
		}
		var none R
		yield(none, fmt.Errorf("sql: %s: %w", what, err))
	}
}

// inTx calls do in a transaction, which ends with it however it ends. What was read counts only if the transaction can be committed.
func (s SQL[R]) inTx(ctx context.Context, do func(*sql.Tx) error) error {
	options := s.Tx
	if options == nil {
		options = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	tx, err := s.DB.BeginTx(ctx, options)
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after Commit
	if err := do(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// query yields what a query yields. errEnough: yield has returned false.
func (s SQL[R]) query(ctx context.Context, tx *sql.Tx, text string, args []any, yield func(R) bool) error {
	rows, err := tx.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		r, err := s.Scan(rows)
		if err != nil {
			return err
		}
		if !yield(r) {
			return errEnough
		}
	}
	return rows.Err()
}
