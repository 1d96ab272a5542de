package pg

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tablecache-go/tablecache/table"
)

// pageRows is how many pending rows are read or deleted by one statement.
const pageRows = 10_000

// pending is what has been recorded under one name and is not known to be done.
type pending struct {
	pool *pgxpool.Pool
	in   pgx.Identifier
	name string
}

// row is one of them.
type row struct {
	ID         int64
	Key, Index *string
	GE, LT     *float64
}

// page reads the first rows that are visible now and have a higher id.
func (p *pending) page(ctx context.Context, after int64) ([]row, error) {
	sql := "SELECT id, key, index, ge, lt FROM " + p.in.Sanitize() + " WHERE name = $1 AND id > $2 ORDER BY id LIMIT $3"
	rows, err := p.pool.Query(ctx, sql, p.name, after, pageRows)
	if err != nil {
		return nil, fmt.Errorf("read what is pending: %w", err)
	}
	page, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
	if err != nil {
		return nil, fmt.Errorf("read what is pending: %w", err)
	}
	return page, nil
}

// remove deletes rows. Those that are gone already do not matter.
func (p *pending) remove(ctx context.Context, ids []int64) error {
	sql := "DELETE FROM " + p.in.Sanitize() + " WHERE name = $1 AND id = ANY($2)"
	for some := range slices.Chunk(ids, pageRows) {
		if _, err := p.pool.Exec(ctx, sql, p.name, some); err != nil {
			return fmt.Errorf("delete what is done: %w", err)
		}
	}
	return nil
}

var errInterval = errors.New("no interval")

// interval returns what a row that has an index is about.
func (r row) interval() (table.Interval, error) {
	i := table.Everything()
	if r.GE != nil {
		i.GE = *r.GE
	}
	if r.LT != nil {
		i.LT = *r.LT
	}
	if math.IsNaN(i.GE) || math.IsNaN(i.LT) || i.GE > i.LT {
		return i, errInterval
	}
	return i, nil
}
