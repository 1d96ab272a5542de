package pg

// installSQL is run by Install. What is in braces is told by a Trigger. The lock keeps two installations apart.
const installSQL = `SELECT pg_advisory_xact_lock(499918073957);

DO {q}
BEGIN
	IF EXISTS (SELECT FROM unnest(ARRAY[{columns}]::name[]) AS key (part) WHERE part NOT IN
		(SELECT attname FROM pg_attribute WHERE attrelid = {table.text}::regclass AND NOT attisdropped)) THEN
		RAISE undefined_column USING MESSAGE = {refusal};
	END IF;
END {q};

CREATE TABLE IF NOT EXISTS {pending} (
	name  text NOT NULL,         -- whose cache is to be told of
	id    bigint GENERATED ALWAYS AS IDENTITY,
	key   text,                  -- a record that has changed, was added or is gone;
	index text,                  -- or an interval of an index,
	ge    double precision,      -- which begins with -Infinity if this is NULL
	lt    double precision,      -- and ends with Infinity;
	PRIMARY KEY (name, id)       -- or, if key and index are NULL, everything
);
SELECT name, id, key, index, ge, lt FROM {pending} WHERE false; -- a table of another kind is refused

CREATE OR REPLACE FUNCTION {notify}() RETURNS trigger
LANGUAGE plpgsql AS {q}
BEGIN
	PERFORM pg_notify({channel}, NEW.name);
	RETURN NULL;
END {q};

CREATE OR REPLACE FUNCTION {record}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO' SET timezone = 'UTC' SET intervalstyle = 'postgres' SET extra_float_digits = 1
SET bytea_output = 'hex' AS {q}
BEGIN
	IF TG_OP = 'TRUNCATE' THEN
		INSERT INTO {pending} (name) VALUES ({name});
	ELSIF TG_OP = 'INSERT' THEN
		INSERT INTO {pending} (name, key) VALUES ({name}, {new});
	ELSE
		INSERT INTO {pending} (name, key) VALUES ({name}, {old});
		IF TG_OP = 'UPDATE' AND {new} IS DISTINCT FROM {old} THEN
			INSERT INTO {pending} (name, key) VALUES ({name}, {new});
		END IF;
	END IF;
	RETURN NULL;
END {q};
REVOKE ALL ON FUNCTION {record}() FROM PUBLIC;

DO {q}
BEGIN
	IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = {pending.text}::regclass AND tgname = 'tablecache_notify') THEN
		CREATE TRIGGER tablecache_notify AFTER INSERT ON {pending}
			FOR EACH ROW EXECUTE FUNCTION {notify}();
	END IF;
	IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = {table.text}::regclass AND tgname = {trigger.text}) THEN
		CREATE TRIGGER {trigger} AFTER INSERT OR UPDATE OR DELETE ON {table}
			FOR EACH ROW EXECUTE FUNCTION {record}();
		CREATE TRIGGER {truncate} AFTER TRUNCATE ON {table}
			FOR EACH STATEMENT EXECUTE FUNCTION {record}();
		INSERT INTO {pending} (name) VALUES ({name});
	END IF;
END {q};
`
