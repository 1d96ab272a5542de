package pg

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// keys returns what is pending under a name, and takes it off. Everything is "*".
func keys(t *testing.T, pool *pgxpool.Pool, name string) []string {
	t.Helper()
	return one[[]string](t, pool, `WITH gone AS (DELETE FROM tablecache_pending WHERE name = $1 RETURNING id, key)
		SELECT coalesce(array_agg(coalesce(key, '*') ORDER BY id), '{}') FROM gone`, name)
}

func wantPending(t *testing.T, pool *pgxpool.Pool, name string, want ...string) {
	t.Helper()
	if got := keys(t, pool, name); !slices.Equal(got, want) {
		t.Errorf("pending for %s: %q, want %q", name, got, want)
	}
}

func TestTriggersRecordKeys(t *testing.T) {
	t.Parallel()
	pool := recorded(t, 3)
	for _, c := range []struct {
		sql  string
		want []string
	}{
		{"UPDATE flights SET price = 7 WHERE id = 2", []string{"2"}},
		{"UPDATE flights SET id = 20 WHERE id = 2", []string{"2", "20"}},
		{"INSERT INTO flights VALUES (4, 4), (5, 5)", []string{"4", "5"}},
		{"INSERT INTO flights VALUES (4, 4) ON CONFLICT (id) DO UPDATE SET price = 8", []string{"4"}},
		{"DELETE FROM flights WHERE id > 4 AND id < 20", []string{"5"}},
		{"UPDATE flights SET price = 1 WHERE id = 999", nil},
		{"TRUNCATE flights", []string{"*"}},
	} {
		exec(t, pool, c.sql)
		wantPending(t, pool, "flights", c.want...)
	}
	tx := begin(t, pool)
	exec(t, tx, "INSERT INTO flights VALUES (1, 1)")
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantPending(t, pool, "flights")
}

// What is there is left alone; what is new invalidates everything once.
func TestInstallIsIdempotent(t *testing.T) {
	t.Parallel()
	pool := newFlights(t, 3)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if err := Install(t.Context(), pool, flightsTrigger); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	wantPending(t, pool, "flights", "*")
	other := flightsTrigger
	other.Key = []string{"price"}
	if err := Install(t.Context(), pool, other); err != nil {
		t.Fatal(err)
	}
	wantPending(t, pool, "flights")
	exec(t, pool, "UPDATE flights SET price = 1.5 WHERE id = 1")
	wantPending(t, pool, "flights", "1", "1.5")
}

// Whatever things are called, they stay apart.
func TestInstallQuotes(t *testing.T) {
	t.Parallel()
	pool := newPool(t)
	exec(t, pool, `CREATE SCHEMA "b.c"`)
	exec(t, pool, "CREATE SCHEMA c")
	names := []string{`o'hare "x" \ $tablecache$`, "a", "a.b", strings.Repeat("é", 60), strings.Repeat("é", 60) + "1"}
	tables := []pgx.Identifier{{"public", `t"1' $tablecache_$`}, {"b.c", "d"}, {"c", "d"}}
	for _, table := range tables {
		exec(t, pool, "CREATE TABLE "+table.Sanitize()+` ("Key 1" text, "$b" int, PRIMARY KEY ("Key 1", "$b"))`)
		for _, name := range names {
			if err := Install(t.Context(), pool, Trigger{Name: name, Table: table, Key: []string{"Key 1", "$b"}}); err != nil {
				t.Fatal(err)
			}
			wantPending(t, pool, name, "*")
		}
	}
	for _, table := range tables {
		exec(t, pool, "INSERT INTO "+table.Sanitize()+` VALUES ('it"s', 4)`)
		for _, name := range names {
			wantPending(t, pool, name, `["it\"s", "4"]`)
		}
	}
}

// Writers need no right to the table of what is pending, and their settings change no key.
func TestWritersNeedNoRights(t *testing.T) {
	t.Parallel()
	pool := newPool(t)
	exec(t, pool, "CREATE TABLE days (day date, at timestamptz, size float8, lasts interval)")
	if err := Install(t.Context(), pool, Trigger{Name: "days", Table: pgx.Identifier{"public", "days"}, Key: []string{"day", "at", "size", "lasts"}}); err != nil {
		t.Fatal(err)
	}
	wantPending(t, pool, "days", "*")
	exec(t, pool, "DO $$ BEGIN CREATE ROLE writer; EXCEPTION WHEN duplicate_object THEN END $$")
	exec(t, pool, "GRANT INSERT ON days TO writer")
	tx := begin(t, pool)
	exec(t, tx, "SET LOCAL ROLE writer; SET LOCAL datestyle = 'German'; SET LOCAL search_path = pg_temp; "+
		"SET LOCAL timezone = 'Europe/Berlin'; SET LOCAL extra_float_digits = -10; SET LOCAL intervalstyle = 'sql_standard'")
	exec(t, tx, "INSERT INTO public.days VALUES ('2026-03-01', '2026-03-01 01:30:00+00', 0.123456789, '1 day 2 hours')")
	commit(t, tx)
	wantPending(t, pool, "days", `["2026-03-01", "2026-03-01 01:30:00+00", "0.123456789", "1 day 02:00:00"]`)
}

func TestInstallRefusesWhatSaysNothing(t *testing.T) {
	t.Parallel()
	pool := newFlights(t, 1)
	for _, trigger := range []Trigger{{}, {Name: "a", Key: []string{"id"}}, {Name: "a", Table: flightsTrigger.Table}, {Table: flightsTrigger.Table, Key: []string{"id"}},
		{Name: "a", Table: flightsTrigger.Table, Key: []string{"id"}, Pending: pgx.Identifier{"public", strings.Repeat("x", 64)}}} {
		if err := Install(t.Context(), pool, flightsTrigger, trigger); err == nil {
			t.Errorf("%v is accepted", trigger)
		}
	}
	if one[bool](t, pool, "SELECT to_regclass('tablecache_pending') IS NOT NULL") {
		t.Error("half of an installation is left")
	}
}

// A trigger on what is not there would fail whenever the application writes: it is refused, and what was there works on.
func TestInstallRefusesWhatIsNotThere(t *testing.T) {
	t.Parallel()
	pool := recorded(t, 3)
	exec(t, pool, "CREATE TABLE strange (name text)")
	exec(t, pool, "ALTER TABLE flights ADD dropped int")
	exec(t, pool, "ALTER TABLE flights DROP dropped")
	exec(t, pool, "CREATE FUNCTION computed(flights) RETURNS int LANGUAGE sql AS 'SELECT 1'")
	other := func(change func(*Trigger)) Trigger {
		wrong := flightsTrigger
		change(&wrong)
		return wrong
	}
	for _, c := range []struct {
		says  string
		wrong Trigger
	}{
		{`"nope"`, other(func(wrong *Trigger) { wrong.Key = []string{"nope"} })},
		{`"it's $tablecache$ \\"`, other(func(wrong *Trigger) { wrong.Key = []string{"id", `it's $tablecache$ \`} })},
		{`"dropped"`, other(func(wrong *Trigger) { wrong.Key = []string{"dropped"} })},
		{`"computed"`, other(func(wrong *Trigger) { wrong.Key = []string{"computed"} })},
		{`"public.nope"`, other(func(wrong *Trigger) { wrong.Table = pgx.Identifier{"public", "nope"} })},
		{`"id" does not exist`, other(func(wrong *Trigger) { wrong.Pending = pgx.Identifier{"public", "strange"} })},
	} {
		fresh := Trigger{Name: "fresh", Table: flightsTrigger.Table, Key: []string{"id"}}
		if err := Install(t.Context(), pool, fresh, c.wrong); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: %v, want %s", c.wrong, err, c.says)
		}
		exec(t, pool, "UPDATE flights SET price = price + 1 WHERE id = 2")
		wantPending(t, pool, "flights", "2")
		wantPending(t, pool, "fresh")
	}
}
