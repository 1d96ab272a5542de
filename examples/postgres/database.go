package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tablecache-go/tablecache/cache/pg"
	"github.com/tablecache-go/tablecache/examples/internal/cli"
	"github.com/tablecache-go/tablecache/examples/internal/flightdata"
)

// patience bounds how long a server may take to answer for the first time, and to forget what the example has made.
const patience = 5 * time.Second

// database is a PostgreSQL that the cache reaches over a line. Who changes rows does not.
type database struct {
	url    string
	direct *pgx.ConnConfig
	pool   *pgxpool.Pool // over the line
	line   *line
}

// openDatabase returns the database of a URL when it has answered. The URL is not repeated in errors: it may hold a password.
func openDatabase(ctx context.Context, url string) (*database, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("%w: -pg is no URL of a PostgreSQL database", cli.ErrUsage)
	}
	config.ConnConfig.ConnectTimeout = patience
	d := &database{url: url, direct: config.ConnConfig.Copy(), line: newLine(config.ConnConfig.DialFunc)}
	config.ConnConfig.DialFunc = d.line.dial
	if d.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, err
	}
	if err := d.pool.Ping(ctx); err != nil {
		d.pool.Close()
		return nil, err
	}
	return d, nil
}

const tables = `
	CREATE SCHEMA tablecache_example;
	CREATE TABLE tablecache_example.airports (code text PRIMARY KEY, name text NOT NULL, city text NOT NULL, state text NOT NULL);
	CREATE TABLE tablecache_example.flights (
		id          integer PRIMARY KEY,
		departure   timestamptz NOT NULL,
		delay       smallint NOT NULL,
		origin      text NOT NULL REFERENCES tablecache_example.airports,
		destination text NOT NULL REFERENCES tablecache_example.airports
	)`

const indexes = `
	CREATE INDEX ON tablecache_example.flights (departure);
	CREATE INDEX ON tablecache_example.flights (origin);
	CREATE INDEX ON tablecache_example.flights (destination);
	ANALYZE tablecache_example.flights, tablecache_example.airports`

// fill makes the tables, fills them by COPY, and makes the triggers. It returns how many flights there are.
func (d *database) fill(ctx context.Context) (flights int, err error) {
	all, err := flightdata.Load()
	if err != nil {
		return 0, err
	}
	return len(all), pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, tables); err != nil {
			return err
		}
		if err := copyIn(ctx, tx, "airports", []string{"code", "name", "city", "state"}, airportRows(all)); err != nil {
			return err
		}
		if err := copyIn(ctx, tx, "flights", []string{"id", "departure", "delay", "origin", "destination"}, flightRows(all)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, indexes); err != nil {
			return err
		}
		return record(ctx, tx)
	})
}

// record has changes recorded from now on. That all may have changed before, which a new trigger records, matters to nobody: there is no cache yet.
func record(ctx context.Context, tx pgx.Tx) error {
	if err := pg.Install(ctx, tx, trigger); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, airportTrigger); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "DELETE FROM tablecache_example.tablecache_pending")
	return err
}

func copyIn(ctx context.Context, tx pgx.Tx, to string, columns []string, rows [][]any) error {
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"tablecache_example", to}, columns, pgx.CopyFromRows(rows))
	return err
}

func flightRows(flights []flightdata.Flight) [][]any {
	rows := make([][]any, len(flights))
	for i, f := range flights {
		rows[i] = []any{f.ID, f.Departure, f.Delay, f.Origin.Code, f.Destination.Code}
	}
	return rows
}

// airportRows returns each airport once that a flight has.
func airportRows(flights []flightdata.Flight) (rows [][]any) {
	seen := map[string]bool{}
	for _, f := range flights {
		for _, a := range []flightdata.Airport{f.Origin, f.Destination} {
			if !seen[a.Code] {
				seen[a.Code] = true
				rows = append(rows, []any{a.Code, a.Name, a.City, a.State})
			}
		}
	}
	return rows
}

// flights returns what the database has of a window, by the same query as the cache.
func (d *database) flights(ctx context.Context, w window) ([]flight, error) {
	rows, err := d.pool.Query(ctx, inWindow, w.from, w.to())
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scan)
}

// clear removes what the example makes.
func (d *database) clear(ctx context.Context) error {
	_, err := d.pool.Exec(ctx, "DROP SCHEMA IF EXISTS tablecache_example CASCADE")
	return err
}
