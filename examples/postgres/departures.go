package main

import (
	"context"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/tablecache-go/tablecache/cache"
	"github.com/tablecache-go/tablecache/cache/pg"
	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/table"
)

// flight is a record: a flight joined with its airports. The fields are named as the columns that are selected.
type flight struct {
	ID              int32
	Departure       time.Time
	Delay           int16 // minutes; negative: early
	Origin          string
	OriginName      string
	OriginCity      string
	Destination     string
	DestinationName string
	DestinationCity string
}

// byDeparture is the index by which a window of days is covered.
const byDeparture = "departure"

// definition is the table in Redis. It knows nothing of a database.
var definition = table.Definition[flight, int32]{
	Name:       "tablecache-example-departures",
	PrimaryKey: table.Key(codec.Int32, func(f *flight) int32 { return f.ID }),
	Attributes: []table.Attribute[flight]{
		table.Field("id", codec.Int32, func(f *flight) *int32 { return &f.ID }),
		table.Field("departure", codec.UTCDatetime, func(f *flight) *time.Time { return &f.Departure }),
		table.Field("delay", codec.Int16, func(f *flight) *int16 { return &f.Delay }),
		table.Field("origin", codec.String, func(f *flight) *string { return &f.Origin }),
		table.Field("origin name", codec.String, func(f *flight) *string { return &f.OriginName }),
		table.Field("origin city", codec.String, func(f *flight) *string { return &f.OriginCity }),
		table.Field("destination", codec.String, func(f *flight) *string { return &f.Destination }),
		table.Field("destination name", codec.String, func(f *flight) *string { return &f.DestinationName }),
		table.Field("destination city", codec.String, func(f *flight) *string { return &f.DestinationCity }),
	},
	Indexes: []table.Index[flight]{table.ByTime(byDeparture, func(f *flight) time.Time { return f.Departure })},
}

// joined selects records. The database joins.
const joined = `
	SELECT f.id, f.departure, f.delay, o.code AS origin, o.name AS origin_name, o.city AS origin_city,
		d.code AS destination, d.name AS destination_name, d.city AS destination_city
	FROM tablecache_example.flights f
	JOIN tablecache_example.airports o ON o.code = f.origin
	JOIN tablecache_example.airports d ON d.code = f.destination
	WHERE `

const inWindow = joined + "f.departure >= $1 AND f.departure < $2"

// scan makes a record of a row. The table has its times in UTC, pgx in the time zone of this machine.
func scan(row pgx.CollectableRow) (flight, error) {
	f, err := pgx.RowToStructByName[flight](row)
	f.Departure = f.Departure.UTC()
	return f, err
}

// source is where the records come from: some days of them, or some keys.
func source(pool *pgxpool.Pool) *pg.KeyedSource[flight, int32] {
	s := pg.NewSource(pool, scan, map[string]pg.Query{byDeparture: {SQL: inWindow, Bound: pg.Time}})
	return pg.Keyed[int32](s, joined+"f.id = ANY($1)")
}

var pending = pgx.Identifier{"tablecache_example", "tablecache_pending"}

// trigger records the keys of flights that change. It makes the table of what is pending, too.
var trigger = pg.Trigger{Name: "departures", Table: pgx.Identifier{"tablecache_example", "flights"}, Key: []string{"id"}, Pending: pending}

// airportTrigger records the keys of all flights that are joined with an airport that changes: the key of an airport is not that of a record.
// Airports that are new or gone have no flights, which the foreign keys see to.
const airportTrigger = `
	CREATE FUNCTION tablecache_example.airport_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	BEGIN
		INSERT INTO tablecache_example.tablecache_pending (name, key)
			SELECT 'departures', f.id::text FROM tablecache_example.flights f WHERE NEW.code IN (f.origin, f.destination);
		RETURN NULL;
	END $$;
	CREATE TRIGGER airport_changed AFTER UPDATE ON tablecache_example.airports
		FOR EACH ROW EXECUTE FUNCTION tablecache_example.airport_changed()`

// changes is how what the triggers have recorded becomes invalidations.
var changes = pg.Changes[int32]{Name: trigger.Name, Index: byDeparture, Key: func(text string) (int32, error) {
	id, err := strconv.ParseInt(text, 10, 32)
	return int32(id), err
}}

// departures are the flights of the days that are covered.
type departures = cache.Cache[flight, int32]

// keep keeps departures in Redis, and lets use use them. What changes in the database meanwhile is told by itself; failed is told of what fails on the
// way, and is tried again.
func keep(ctx context.Context, rdb redis.UniversalClient, pool *pgxpool.Pool, failed func(error), use func(context.Context, *departures) error) error {
	if err := pg.Install(ctx, pool, trigger); err != nil { // or when the schema is made; where the trigger is, nothing happens
		return err
	}
	t, err := table.Open(ctx, rdb, definition)
	if err != nil {
		return err
	}
	defer t.Close()
	c, err := cache.New(ctx, t, source(pool))
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		err := pg.Listen(ctx, pool, c, changes, pg.WithPending(pending), pg.WithFailures(failed))
		if ctx.Err() != nil { // use has ended
			return nil
		}
		return err
	})
	g.Go(func() error { defer leave(); return use(ctx, c) })
	return g.Wait()
}
