package pg

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const defaultRows = 1000

// statement is a query and the values of its placeholders.
type statement struct {
	sql  string
	args []any
}

// reader reads through cursors, some rows in a step, in transactions that write nothing.
type reader struct {
	pool    *pgxpool.Pool
	timeout time.Duration // of a step; 0: the server's own
	rows    int           // of a step
}

// begin is one message to the server. A cursor's query is planned for all of its rows, not for the first tenth of them.
func (r *reader) begin() pgx.TxOptions {
	sql := "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL cursor_tuple_fraction = 1"
	if r.timeout > 0 {
		sql += fmt.Sprintf("; SET LOCAL statement_timeout = %d", max(r.timeout.Milliseconds(), 1))
	}
	return pgx.TxOptions{BeginQuery: sql}
}

// within calls work with a transaction of one moment. Afterwards the connection is back in the pool, or closed if ctx has ended.
func (r *reader) within(ctx context.Context, work func(pgx.Tx) error) error {
	tx, err := r.pool.BeginTx(ctx, r.begin())
	if err != nil {
		return err
	}
	defer tx.Rollback(ctx) // nothing was written; a connection for which this fails is closed
	return work(tx)
}

// cursor is an open cursor of the server. A transaction has one at a time.
type cursor struct {
	tx      pgx.Tx
	formats []int16 // of the columns
}

// declare opens a cursor. It prepares the step without a name, which lasts until the connection prepares something else: so each step is one
// round trip, and no description of former columns is taken for the present ones.
func (r *reader) declare(ctx context.Context, tx pgx.Tx, st statement) (*cursor, error) {
	if _, err := tx.Exec(ctx, "DECLARE tablecache NO SCROLL CURSOR FOR "+st.sql, st.args...); err != nil {
		return nil, err
	}
	conn := tx.Conn()
	step, err := conn.PgConn().Prepare(ctx, "", fmt.Sprintf("FETCH FORWARD %d FROM tablecache", r.rows), nil)
	if err != nil {
		return nil, err
	}
	return &cursor{tx: tx, formats: formats(conn, step.Fields)}, nil
}

// formats chooses for each column whether it is sent as text or binary.
func formats(conn *pgx.Conn, columns []pgconn.FieldDescription) []int16 {
	chosen := make([]int16, len(columns))
	for i, c := range columns {
		chosen[i] = conn.TypeMap().FormatCodeForOID(c.DataTypeOID)
	}
	return chosen
}

// next reads the rows of one step. There are fewer than asked for at the end alone.
func (c *cursor) next(ctx context.Context) pgx.Rows {
	conn := c.tx.Conn()
	return pgx.RowsFromResultReader(conn.TypeMap(), conn.PgConn().ExecPrepared(ctx, "", nil, nil, c.formats))
}

func (c *cursor) close(ctx context.Context) error {
	_, err := c.tx.Exec(ctx, "CLOSE tablecache")
	return err
}
