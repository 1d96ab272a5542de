package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tablecache-go/tablecache/cache/pg"
	"github.com/tablecache-go/tablecache/internal/pgtest"
)

// origin is a private PostgreSQL with all records.
type origin struct {
	server *pgtest.Server
	pool   *pgxpool.Pool
}

const (
	createFlights = `CREATE TABLE flights (id bigint PRIMARY KEY, carrier text NOT NULL, route text NOT NULL, remark text NOT NULL,
		departs timestamptz NOT NULL, price double precision NOT NULL)`
	selectFlights = `SELECT id, carrier, route, remark, departs, price FROM flights WHERE departs >= $1 AND departs < $2`
)

// source starts the PostgreSQL, once.
func (b *bench) source(ctx context.Context) (*origin, error) {
	if b.origin != nil {
		return b.origin, nil
	}
	server, err := pgtest.Launch()
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.New(ctx, server.URL())
	if err != nil {
		server.Stop()
		return nil, err
	}
	b.origin = &origin{server, pool}
	return b.origin, b.origin.fill(ctx, b.records)
}

func (o *origin) close() {
	o.pool.Close()
	o.server.Stop()
}

// fill stores the records, and leaves nothing for the server to do later.
func (o *origin) fill(ctx context.Context, records []record) error {
	if _, err := o.pool.Exec(ctx, createFlights); err != nil {
		return err
	}
	_, err := o.pool.CopyFrom(ctx, pgx.Identifier{"flights"}, []string{"id", "carrier", "route", "remark", "departs", "price"},
		pgx.CopyFromSlice(len(records), func(i int) ([]any, error) {
			r := &records[i]
			return []any{r.ID, r.Carrier, r.Route, r.Remark, r.Departs, r.Price}, nil
		}))
	if err != nil {
		return err
	}
	_, err = o.pool.Exec(ctx, "VACUUM (ANALYZE) flights")
	_, also := o.pool.Exec(ctx, "CHECKPOINT")
	return errors.Join(err, also)
}

// cached returns what fills a cache.
func (o *origin) cached() *pg.Source[record] {
	return pg.NewSource(o.pool, scanRecord, map[string]pg.Query{byDeparture: {SQL: selectFlights, Bound: pg.Time}})
}

// scanRecord serves both sides.
func scanRecord(row pgx.CollectableRow) (r record, err error) {
	err = row.Scan(&r.ID, &r.Carrier, &r.Route, &r.Remark, &r.Departs, &r.Price)
	r.Departs = r.Departs.UTC()
	return r, err
}

// each visits all records by hand: steps of a cursor, of one moment, as many rows at once as a Source reads.
func (o *origin) each(ctx context.Context, visit func([]record) error) error {
	tx, err := o.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return err
	}
	defer tx.Rollback(ctx)
	if _, err := tx.Exec(ctx, "SET LOCAL cursor_tuple_fraction = 1"); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "DECLARE by_hand NO SCROLL CURSOR FOR "+selectFlights, "-infinity", "infinity"); err != nil {
		return err
	}
	fetch, step := fmt.Sprintf("FETCH FORWARD %d FROM by_hand", batch), make([]record, 0, batch)
	for {
		rows, err := tx.Query(ctx, fetch)
		if err != nil {
			return err
		}
		if step, err = pgx.AppendRows(step[:0], rows, scanRecord); err != nil || len(step) == 0 {
			return err
		}
		if err := visit(step); err != nil {
			return err
		}
	}
}

// fillFrom stores by hand what the PostgreSQL has: each step is encoded and sent as bulk writes are.
func (b *bare) fillFrom(ctx context.Context, o *origin) error {
	return o.each(ctx, func(step []record) error { return b.putMany(ctx, encodeAll(step)) })
}
