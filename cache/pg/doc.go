// Package pg keeps a table fresh from PostgreSQL: a source of records for package cache, and what tells the cache which of them have changed. It
// is a module of its own, on pgx v5.
//
// # A source
//
// [NewSource] reads each index by a query with two placeholders, for the ends of an interval, and [Keyed] adds one for keys:
//
//	source := pg.NewSource(pool, pgx.RowToStructByName[Flight], map[string]pg.Query{
//		"departure": {SQL: "SELECT id, price, departs FROM flights WHERE departs >= $1 AND departs < $2", Bound: pg.Time},
//		"price":     {SQL: "SELECT id, price, departs FROM flights WHERE price >= $1 AND price < $2"},
//	})
//	c, err := cache.New(ctx, flights, pg.Keyed[int64](source, "SELECT id, price, departs FROM flights WHERE id = ANY($1)"))
//
// What an index scores by must be selected, by each query. A timestamptz comes in the local zone of the process: codec.Time takes any zone, while
// codec.UTCDatetime refuses all but UTC, so that the function that scans a row must call the time's UTC. Times that are made texts by SQL are in the zone
// of the session.
//
// A fetch is of one moment: a transaction that only reads, REPEATABLE READ, which begins when the fetch does. The rows come through a cursor of the
// server's, some at a time. A fetch that is cut short, by the network, a time-out or its context, ends with an error, and never looks like a
// complete one. Errors and logs hold no rows and no keys of ours; what the server says is passed on.
//
// # Changes
//
// [Install] makes triggers that record each changed key in a table of what is pending, in the transaction that changes it. [Listen] reads that table when it
// is notified, and every second because notifications may be lost, and tells the cache:
//
//	err := pg.Install(ctx, pool, pg.Trigger{Name: "flights", Table: pgx.Identifier{"public", "flights"}, Key: []string{"id"}})
//	…
//	err = pg.Listen(ctx, pool, c, pg.Changes[int64]{Name: "flights", Index: "departure",
//		Key: func(text string) (int64, error) { return strconv.ParseInt(text, 10, 64) }})
//
// Without Install nothing is ever recorded, and Listen, which waits for that, tells nothing. It tries again what fails, and says so to nobody unless it
// is given [WithLogger] or [WithFailures].
//
// The cache is told within some tens of milliseconds of the commit, as a rule. Who must read what was just written does not wait for that: after the
// commit call the cache's InvalidateKeys, and then read with cache.Fresh.
//
// A row is taken off the table after the cache has fetched the records anew, in a transaction that began after the row was read, and has stored
// them. So what has changed while nobody listened is found by the next who listens, and a cache that was taken over need not be loaded anew.
// For that the source must read the database that the rows are in, and no replica that may lag behind.
//
// Who listens needs the rights to SELECT and DELETE. A key is recorded when a row is added, changed or deleted, the former one too where a change is of the
// key itself; TRUNCATE is recorded as everything. On partitioned tables, TRUNCATE of a partition is recorded only if the partition has a trigger of its own; and
// what logical replication applies only after ALTER TABLE … ENABLE ALWAYS TRIGGER. A transaction that has notified cannot be PREPAREd, and those that notify
// commit one after another: where that hurts, ALTER TABLE tablecache_pending DISABLE TRIGGER tablecache_notify leaves it to Listen to look.
//
// Records that are joined of several tables change with each of them. Of those whose key is not the record's, a trigger of your own records
// what is meant, and an application may do so by hand, a key or an interval, in its own transaction:
//
//	INSERT INTO public.tablecache_pending (name, key) SELECT 'flights', id::text FROM flights WHERE origin = NEW.code;
//	INSERT INTO public.tablecache_pending (name, index, ge, lt) VALUES ('flights', 'departure', 1767225600, 1767312000);
//	INSERT INTO public.tablecache_pending (name) VALUES ('flights'); -- everything
//
// # What Install runs
//
// This is [Trigger.SQL] of the trigger above:
//
//	SELECT pg_advisory_xact_lock(499918073957);
//
//	DO $tablecache$
//	BEGIN
//		IF EXISTS (SELECT FROM unnest(ARRAY['id']::name[]) AS key (part) WHERE part NOT IN
//			(SELECT attname FROM pg_attribute WHERE attrelid = '"public"."flights"'::regclass AND NOT attisdropped)) THEN
//			RAISE undefined_column USING MESSAGE = 'not all columns of the key are there: ["id"] of "public"."flights"';
//		END IF;
//	END $tablecache$;
//
//	CREATE TABLE IF NOT EXISTS "public"."tablecache_pending" (
//		name  text NOT NULL,         -- whose cache is to be told of
//		id    bigint GENERATED ALWAYS AS IDENTITY,
//		key   text,                  -- a record that has changed, was added or is gone;
//		index text,                  -- or an interval of an index,
//		ge    double precision,      -- which begins with -Infinity if this is NULL
//		lt    double precision,      -- and ends with Infinity;
//		PRIMARY KEY (name, id)       -- or, if key and index are NULL, everything
//	);
//	SELECT name, id, key, index, ge, lt FROM "public"."tablecache_pending" WHERE false; -- a table of another kind is refused
//
//	CREATE OR REPLACE FUNCTION "public"."tablecache_notify.tablecache_pending"() RETURNS trigger
//	LANGUAGE plpgsql AS $tablecache$
//	BEGIN
//		PERFORM pg_notify('tablecache_pending', NEW.name);
//		RETURN NULL;
//	END $tablecache$;
//
//	CREATE OR REPLACE FUNCTION "public"."tablecache.flights.public.flights"() RETURNS trigger
//	LANGUAGE plpgsql SECURITY DEFINER
//	SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO' SET timezone = 'UTC' SET intervalstyle = 'postgres' SET extra_float_digits = 1
//	SET bytea_output = 'hex' AS $tablecache$
//	BEGIN
//		IF TG_OP = 'TRUNCATE' THEN
//			INSERT INTO "public"."tablecache_pending" (name) VALUES ('flights');
//		ELSIF TG_OP = 'INSERT' THEN
//			INSERT INTO "public"."tablecache_pending" (name, key) VALUES ('flights', NEW."id"::text);
//		ELSE
//			INSERT INTO "public"."tablecache_pending" (name, key) VALUES ('flights', OLD."id"::text);
//			IF TG_OP = 'UPDATE' AND NEW."id"::text IS DISTINCT FROM OLD."id"::text THEN
//				INSERT INTO "public"."tablecache_pending" (name, key) VALUES ('flights', NEW."id"::text);
//			END IF;
//		END IF;
//		RETURN NULL;
//	END $tablecache$;
//	REVOKE ALL ON FUNCTION "public"."tablecache.flights.public.flights"() FROM PUBLIC;
//
//	DO $tablecache$
//	BEGIN
//		IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = '"public"."tablecache_pending"'::regclass AND tgname = 'tablecache_notify') THEN
//			CREATE TRIGGER tablecache_notify AFTER INSERT ON "public"."tablecache_pending"
//				FOR EACH ROW EXECUTE FUNCTION "public"."tablecache_notify.tablecache_pending"();
//		END IF;
//		IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = '"public"."flights"'::regclass AND tgname = 'tablecache.flights') THEN
//			CREATE TRIGGER "tablecache.flights" AFTER INSERT OR UPDATE OR DELETE ON "public"."flights"
//				FOR EACH ROW EXECUTE FUNCTION "public"."tablecache.flights.public.flights"();
//			CREATE TRIGGER "tablecache.flights.truncate" AFTER TRUNCATE ON "public"."flights"
//				FOR EACH STATEMENT EXECUTE FUNCTION "public"."tablecache.flights.public.flights"();
//			INSERT INTO "public"."tablecache_pending" (name) VALUES ('flights');
//		END IF;
//	END $tablecache$;
//
// # Where to find what
//
//	source.go     Source: records of intervals
//	keys.go       KeyedSource: records by key, too
//	cursor.go     reading in steps, in one transaction
//	bounds.go     bounds of intervals as values of columns
//	install.go    Trigger, Install
//	sql.go        what it runs
//	listen.go     Listen and its options
//	ear.go        hearing notifications
//	teller.go     telling the cache what is pending
//	news.go       what pending rows say, each thing once
//	refresher.go  refreshing, and taking off what is done
//	ledger.go     what was told and is not done
//	pending.go    the table of what is pending
//	retry.go      waiting after failures
package pg
