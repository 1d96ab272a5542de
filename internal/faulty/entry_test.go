//go:build unix

package faulty_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/internal/faulty"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/internal/walk"
	"github.com/tablecache-go/tablecache/table"
)

// entry is the record of these tests. No two puts write the same version.
type entry struct {
	ID, Version int64
}

type entries = table.Table[entry, int64]

func definition(name string) table.Definition[entry, int64] {
	return table.Definition[entry, int64]{
		Name:       name,
		PrimaryKey: table.Key(codec.Int64, func(e *entry) int64 { return e.ID }),
		Attributes: []table.Attribute[entry]{
			table.Field("id", codec.Int64, func(e *entry) *int64 { return &e.ID }),
			table.Field("version", codec.Int64, func(e *entry) *int64 { return &e.Version }),
		},
		Indexes: []table.Index[entry]{
			table.By("id", func(e *entry) float64 { return float64(e.ID) }),
			table.By("version", func(e *entry) float64 { return float64(e.Version) }),
		},
	}
}

// span returns entries with keys from..to-1 of one version.
func span(from, to, version int64) (all []entry) {
	for id := from; id < to; id++ {
		all = append(all, entry{ID: id, Version: version})
	}
	return all
}

// client returns a client that connects to addr; readTimeout 0 means 5 s.
func client(t testing.TB, addr string, readTimeout time.Duration) *redis.Client {
	if readTimeout == 0 {
		readTimeout = 5 * time.Second
	}
	c := redis.NewClient(&redis.Options{Addr: addr, ReadTimeout: readTimeout, DialerRetries: 1})
	t.Cleanup(func() { c.Close() })
	return c
}

func open(t testing.TB, rdb redis.UniversalClient, name string, opts ...table.Option) *entries {
	t.Helper()
	tbl, err := table.Open(t.Context(), rdb, definition(name), append(opts, table.WithWriteThrough())...)
	ok(t, err)
	t.Cleanup(func() { tbl.Close() })
	return tbl
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// readBy returns the records of a table in the order of an index.
func readBy(ctx context.Context, tbl *entries, index string) (found []entry, err error) {
	for e, err := range tbl.Records(ctx, tbl.All(index)) {
		if err != nil {
			return nil, err
		}
		found = append(found, e)
	}
	return found, nil
}

// wantContents fails unless the table shows, by both indexes and in its note, what one of the given states does, and returns which it is.
func wantContents(t testing.TB, tbl *entries, states ...*entryModel) int {
	t.Helper()
	byID, err := readBy(t.Context(), tbl, "id")
	ok(t, err)
	byVersion, err := readBy(t.Context(), tbl, "version")
	ok(t, err)
	note, err := tbl.Note(t.Context())
	ok(t, err)
	for i, want := range states {
		same := bytes.Equal(note, want.Note) && (note == nil) == (want.Note == nil)
		if same && slices.Equal(byID, want.Read(allBy("id"))) && slices.Equal(byVersion, want.Read(allBy("version"))) {
			return i
		}
	}
	t.Fatalf("the table has %s by id, %s by version and the note %q; want one of %d states: %v", brief(byID), brief(byVersion), note, len(states), briefs(states))
	return 0
}

func brief(all []entry) string {
	if len(all) > 20 {
		return fmt.Sprint(len(all), " records")
	}
	return fmt.Sprint(all)
}

func briefs(all []*entryModel) string {
	var texts []string
	for _, m := range all {
		texts = append(texts, brief(m.Read(allBy("id"))))
	}
	return strings.Join(texts, " | ")
}

// wantSound walks the raw keys.
func wantSound(t testing.TB, rdb redis.UniversalClient, name string) {
	t.Helper()
	walk.Walk(t, rdb, name, "id", "version")
}

// dump returns every byte that Redis keeps under the table's name, but for the owner's lease, which time changes.
func dump(t testing.TB, rdb redis.UniversalClient, name string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	names, err := rdb.Keys(t.Context(), name+":*").Result()
	ok(t, err)
	slices.Sort(names)
	for _, key := range names {
		if key == name+":m" {
			all[key] = truth(t, rdb, key)
			continue
		}
		bytes, err := rdb.Dump(t.Context(), key).Result()
		ok(t, err)
		all[key] = bytes
	}
	return all
}

func truth(t testing.TB, rdb redis.UniversalClient, key string) string {
	t.Helper()
	fields, err := rdb.HGetAll(t.Context(), key).Result()
	ok(t, err)
	for _, name := range []string{"holder", "lease", "until"} {
		delete(fields, name)
	}
	return fmt.Sprint(fields)
}

func wantSameBytes(t testing.TB, rdb redis.UniversalClient, name string, before map[string]string) {
	t.Helper()
	after := dump(t, rdb, name)
	if !maps.Equal(before, after) {
		t.Errorf("bytes of table %s have changed", name)
	}
}

// patience is how long a test waits for what must come: it only shows when something is broken.
const patience = 30 * time.Second

// receive returns what comes through c.
func receive[T any](t testing.TB, what string, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatalf("waited too long for %s", what)
	}
	return v
}

// proxied returns a proxy to a server and the address and name of a table of the test's own.
func proxied(t testing.TB, srv *redistest.Server) (*faulty.Proxy, string) {
	t.Helper()
	return faulty.NewProxy(t, srv.Socket()), redistest.Prefix(t)
}

func is(err error, one ...error) bool {
	return slices.ContainsFunc(one, func(e error) bool { return errors.Is(err, e) })
}
