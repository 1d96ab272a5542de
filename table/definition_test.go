package table_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

type definition = table.Definition[item, int64]

func itemID(i *item) *int64 { return &i.ID }

func TestOpenRefusesAnInvalidDefinition(t *testing.T) {
	t.Parallel()
	attribute := func(a table.Attribute[item]) func(*definition) {
		return func(d *definition) { d.Attributes = append(d.Attributes, a) }
	}
	index := func(x table.Index[item]) func(*definition) {
		return func(d *definition) { d.Indexes = append(d.Indexes, x) }
	}
	getID := func(i *item) (int64, error) { return i.ID, nil }
	setID := func(i *item, v int64) error { i.ID = v; return nil }
	score := func(i *item) float64 { return i.At }
	changes := map[string]func(*definition){
		"no key":             func(d *definition) { d.PrimaryKey = table.PrimaryKey[item, int64]{} },
		"no key function":    func(d *definition) { d.PrimaryKey = table.Key[item](codec.Int64, nil) },
		"no key codec":       func(d *definition) { d.PrimaryKey = table.Key(nil, func(i *item) int64 { return i.ID }) },
		"no attribute":       func(d *definition) { d.Attributes = nil },
		"zero attribute":     attribute(table.Attribute[item]{}),
		"unnamed attribute":  attribute(table.Field("", codec.Int64, itemID)),
		"twin attributes":    attribute(table.Field("id", codec.Int64, itemID)),
		"field codec nil":    attribute(table.Field("x", nil, itemID)),
		"field function nil": attribute(table.Field[item]("x", codec.Int64, nil)),
		"attr codec nil":     attribute(table.Attr("x", nil, getID, setID)),
		"attr get nil":       attribute(table.Attr("x", codec.Int64, nil, setID)),
		"attr set nil":       attribute(table.Attr("x", codec.Int64, getID, nil)),
		"no index":           func(d *definition) { d.Indexes = nil },
		"zero index":         index(table.Index[item]{}),
		"twin indexes":       index(table.By("at", score)),
		"index function nil": index(table.By[item]("x", nil)),
		"index name empty":   index(table.By("", score)),
		"index name glob":    index(table.By("a*", score)),
		"index name colon":   index(table.By("a:b", score)),
		"index name long":    index(table.By(strings.Repeat("x", 65), score)),
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			def := itemDefinition(redistest.Prefix(t))
			change(&def)
			refused(t, def)
		})
	}
}

func TestOpenRefusesANameThatIsNoTablesName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", strings.Repeat("x", 129), "a b", "a*", "a?", "a[b]", "a\n", "é", "a:i:b", "a:x:b", "a:i", "a:x",
		":i:", "{a}{b}", "{}", "{a", "a}", "{a:i:b}c"} {
		refused(t, itemDefinition(name))
	}
}

// refused checks that Open fails, with the right error and before it has sent anything.
func refused(t *testing.T, def definition) {
	t.Helper()
	rdb, sent := counted(t)
	tbl, err := table.Open(t.Context(), rdb, def)
	if err == nil {
		tbl.Close()
	}
	if !errors.Is(err, table.ErrInvalidDefinition) {
		t.Errorf("name %q: got %v, want ErrInvalidDefinition", def.Name, err)
	}
	if n := sent.n.Load(); n != 0 {
		t.Errorf("name %q: %d commands were sent", def.Name, n)
	}
}

// counted returns a client and how many commands it has sent.
func counted(t testing.TB) (*redis.Client, *counter) {
	t.Helper()
	rdb, c := redistest.Shared(t).Client(t), new(counter)
	rdb.AddHook(c)
	return rdb, c
}

func TestOpenTakesEveryAllowedName(t *testing.T) {
	t.Parallel()
	p := redistest.Prefix(t)
	rdb := redistest.Shared(t).Client(t)
	for _, name := range []string{p + "A.b_c-d:e", p + "{tag:1}", "{" + p + "}x", p + ":in", p + ":ix:i2", p + ":" + strings.Repeat("x", 100)} {
		tbl := openOn(t, rdb, name)
		if tbl.Name() != name {
			t.Errorf("Name() = %q, want %q", tbl.Name(), name)
		}
		put(t, tbl, numbered(0, 3)...)
		wantIDs(t, tbl, tbl.All("at"), 0, 1, 2)
	}
}

func TestOpenRefusesAnUnsafeClient(t *testing.T) {
	t.Parallel()
	addr := redistest.Shared(t).Addr()
	cluster := func(change func(*redis.ClusterOptions)) redis.UniversalClient {
		o := &redis.ClusterOptions{Addrs: []string{addr}}
		change(o)
		return redis.NewClusterClient(o)
	}
	for name, c := range map[string]struct {
		rdb   redis.UniversalClient
		table string
	}{
		"no read time-out":     {redis.NewClient(&redis.Options{Addr: addr, ReadTimeout: -1}), "a"},
		"cluster, read only":   {cluster(func(o *redis.ClusterOptions) { o.ReadOnly = true }), "{a}"},
		"cluster, by latency":  {cluster(func(o *redis.ClusterOptions) { o.RouteByLatency = true }), "{a}"},
		"cluster, randomly":    {cluster(func(o *redis.ClusterOptions) { o.RouteRandomly = true }), "{a}"},
		"cluster, no tag":      {cluster(func(*redis.ClusterOptions) {}), "a"},
		"cluster, no time-out": {cluster(func(o *redis.ClusterOptions) { o.ReadTimeout = -1 }), "{a}"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Cleanup(func() { c.rdb.Close() })
			sent := new(counter)
			c.rdb.AddHook(sent)
			_, err := table.Open(t.Context(), c.rdb, itemDefinition(c.table))
			if !errors.Is(err, table.ErrUnsafeClient) || sent.n.Load() != 0 {
				t.Errorf("got %v after %d commands, want ErrUnsafeClient before the first", err, sent.n.Load())
			}
		})
	}
}
