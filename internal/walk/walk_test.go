package walk

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
)

func TestMain(m *testing.M) { os.Exit(redistest.Main(m)) }

const row = "\x00\x00\x00\x02\x01a" // generation 2, one attribute

// sound writes a table in the middle of a fold: two merged rows, a staged row and a tombstone.
func sound(t *testing.T, rdb redis.UniversalClient, table string) {
	t.Helper()
	ctx := t.Context()
	run(t, rdb.HSet(ctx, table+":m", "epoch", "3:0af1", "seq", "17", "last", "", "gen", "2", "state", "merging",
		"rver", "4", "burns", "1", "notes", "2", "note", "a", "count", "2", "staged", "2", "live", "1", "widest", "6", "layout", "7", "schema", "{}", "owner", "host:1",
		"line", "2:1b/9 1:77/0", "burned", "3:0af1/4", "feed", "feed"))
	run(t, rdb.HSet(ctx, table+":r", "a", row, "b", row))
	run(t, rdb.HSet(ctx, table+":s", "a", row, "b", row[:tombstone]))
	run(t, rdb.ZAdd(ctx, table+":i:at", redis.Z{Member: "a", Score: 1}, redis.Z{Member: "b", Score: 1}))
	run(t, rdb.ZAdd(ctx, table+":x:at", redis.Z{Member: "a", Score: 2}))
}

func run(t *testing.T, cmd redis.Cmder) {
	t.Helper()
	if err := cmd.Err(); err != nil {
		t.Fatal(err)
	}
}

func TestASoundTablePasses(t *testing.T) {
	t.Parallel()
	rdb, table := redistest.Shared(t).Client(t), redistest.Prefix(t)
	sound(t, rdb, table)
	sound(t, rdb, table+":b") // its keys begin with the other's name
	Walk(t, rdb, table, "at")
}

func TestEachFaultIsFound(t *testing.T) {
	t.Parallel()
	meta := func(field, value string) func(*change) {
		return func(c *change) { run(c.t, c.rdb.HSet(c.ctx, c.table+":m", field, value)) }
	}
	key := func(suffix string, of func(*change, string) redis.Cmder) func(*change) {
		return func(c *change) { run(c.t, of(c, c.table+suffix)) }
	}
	hset := func(suffix, field, value string) func(*change) {
		return key(suffix, func(c *change, k string) redis.Cmder { return c.rdb.HSet(c.ctx, k, field, value) })
	}
	zadd := func(suffix, member string) func(*change) {
		return key(suffix, func(c *change, k string) redis.Cmder { return c.rdb.ZAdd(c.ctx, k, redis.Z{Member: member}) })
	}
	for name, f := range map[string]struct {
		change func(*change)
		want   string
	}{
		"no truth":         {key(":m", (*change).del), "field epoch"},
		"a field too many": {meta("more", "1"), "19 fields"},
		"a long note":      {meta("note", strings.Repeat("n", 64<<10+1)), "the note has 65537 bytes"},
		"no number":        {meta("seq", "x"), "field seq"},
		"unknown state":    {meta("state", "moving"), "field state"},
		"no such index":    {meta("building", "1"), "1 indexes are being built"},
		"too many gens":    {meta("gen", "4294967296"), "out of range"},
		"count":            {meta("count", "3"), "count is 3"},
		"staged":           {meta("staged", "3"), "staged is 3"},
		"live":             {meta("live", "2"), "live is 2"},
		"merged, to come":  {hset(":r", "a", "\x00\x00\x00\x03\x01a"), "generation to come"},
		"merged tombstone": {hset(":r", "a", row[:tombstone]), "without attributes"},
		"staged, old":      {hset(":s", "a", "\x00\x00\x00\x01\x01a"), "wrong generation"},
		"staged, too new":  {meta("state", "active"), "wrong generation"},
		"whole, hidden":    {meta("state", "merging-whole"), "tombstone in a whole session"},
		"clear, whole":     {meta("state", "clear-whole"), "field state"},
		"staged in clear":  {meta("state", "clear"), "state clear"},
		"staged gone":      {key(":s", (*change).del), "staged is"},
		"index entry lost": {key(":i:at", (*change).remove), "row missing in index at"},
		"index dangling":   {zadd(":i:at", "c"), "dangling entry in index at"},
		"staged lost":      {key(":x:at", (*change).remove), "row missing in staged index at"},
		"tombstone scored": {zadd(":x:at", "b"), "dangling entry in staged index at"},
		"stray key":        {hset(":z", "a", row), "stray key"},
		"stray index":      {zadd(":i:old", "a"), "stray key"},
		"foreign type":     {key(":s", (*change).retype), "WRONGTYPE"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &change{t: t, ctx: t.Context(), rdb: redistest.Shared(t).Client(t), table: redistest.Prefix(t)}
			sound(t, c.rdb, c.table)
			f.change(c)
			err := Check(c.ctx, c.rdb, c.table, []string{"at"})
			if err == nil || !strings.Contains(err.Error(), f.want) {
				t.Errorf("got %v, want a fault with %q", err, f.want)
			}
		})
	}
}

// change is done to a sound table.
type change struct {
	t     *testing.T
	ctx   context.Context
	rdb   redis.UniversalClient
	table string
}

func (c *change) del(key string) redis.Cmder { return c.rdb.Del(c.ctx, key) }

func (c *change) remove(key string) redis.Cmder { return c.rdb.ZRem(c.ctx, key, "a") }

func (c *change) retype(key string) redis.Cmder { return c.rdb.Set(c.ctx, key, "", 0) }
