package table_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// Errors name the library and the table once, and say which of several things is wrong.

// saysOnce checks an error's text.
func saysOnce(t *testing.T, what, name string, err error, wants ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", what)
		return
	}
	text := err.Error()
	if strings.Count(text, "tablecache:") > 1 || name != "" && strings.Count(text, name) != 1 || strings.Contains(text, "\n") {
		t.Errorf("%s: said more than once: %s", what, text)
	}
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("%s: %q is not in %s", what, want, text)
		}
	}
}

func TestErrorsSayWhichPartOfASpecIsWrong(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	nan := math.NaN()
	for want, s := range map[string]table.Spec[item]{
		"interval [5, 1): reversed":           tbl.Range("at", 5, 1),
		"interval [NaN, 1): NaN bound":        tbl.Range("at", nan, 1),
		"interval [1, NaN): NaN bound":        tbl.Range("at", 1, nan),
		"limit -1: negative":                  tbl.All("at").Max(-1),
		"intervals [0, 2) and [1, 3) overlap": {Index: "at", Intervals: []table.Interval{{GE: 0, LT: 2}, {GE: 1, LT: 3}}},
		"1001 intervals, at most 1000":        {Index: "at", Intervals: make([]table.Interval, 1001)},
		`unknown index: "nowhere"`:            tbl.All("nowhere"),
	} {
		_, count := tbl.Count(t.Context(), s)
		_, first := tbl.First(t.Context(), s)
		_, del := tbl.Delete(t.Context(), s)
		_, discard := tbl.ScratchDiscard(t.Context(), s)
		_, _, page := tbl.Page(t.Context(), s, "", 1)
		st := tbl.Stream(t.Context(), s)
		for range st.C() {
		}
		for what, err := range map[string]error{"count": count, "delete": del, "discard": discard, "stream": st.Err(), "page": page,
			"read": lastError(tbl.Records(t.Context(), s)), "first": first} {
			if what != "first" || s.Limit < 0 || len(s.Intervals) > 0 {
				saysOnce(t, what, tbl.Name(), err, want)
			}
		}
	}
}

func TestErrorsSayWhichPartOfADefinitionIsWrong(t *testing.T) {
	t.Parallel()
	rdb := redistest.Shared(t).Client(t)
	id := func(i *item) *int64 { return &i.ID }
	score := func(i *item) float64 { return i.At }
	get := func(i *item) (int64, error) { return i.ID, nil }
	for want, change := range map[string]func(*definition){
		"primary key: no codec":            func(d *definition) { d.PrimaryKey = table.Key(nil, func(i *item) int64 { return i.ID }) },
		"primary key: no function":         func(d *definition) { d.PrimaryKey = table.Key[item](codec.Int64, nil) },
		"no attribute":                     func(d *definition) { d.Attributes = nil },
		`attribute "": no name`:            func(d *definition) { d.Attributes[0] = table.Field("", codec.Int64, id) },
		`attribute "x": no codec`:          func(d *definition) { d.Attributes[0] = table.Field("x", nil, id) },
		`attribute "x": no function`:       func(d *definition) { d.Attributes[0] = table.Field[item]("x", codec.Int64, nil) },
		`attribute "y": no function`:       func(d *definition) { d.Attributes[0] = table.Attr("y", codec.Int64, get, nil) },
		`attribute "y": no codec`:          func(d *definition) { d.Attributes[0] = table.Attr("y", nil, get, nil) },
		`attribute "name": there twice`:    func(d *definition) { d.Attributes[0] = d.Attributes[1] },
		"no index":                         func(d *definition) { d.Indexes = nil },
		`index "": no name`:                func(d *definition) { d.Indexes[0] = table.By("", score) },
		`index "a*": its name is not 1 to`: func(d *definition) { d.Indexes[0] = table.By("a*", score) },
		`index "x": no function`:           func(d *definition) { d.Indexes[0] = table.By[item]("x", nil) },
		`index "rank": there twice`:        func(d *definition) { d.Indexes[0] = d.Indexes[1] },
		`index "x": no function; `:         func(d *definition) { d.Indexes = append(d.Indexes, table.By[item]("x", nil), table.By[item]("x", nil)) },
	} {
		def := itemDefinition(redistest.Prefix(t))
		change(&def)
		_, err := table.Open(t.Context(), rdb, def)
		saysOnce(t, want, def.Name, err, want)
	}
	for name, want := range map[string]string{"": "table name: missing", strings.Repeat("y", 129): "129 bytes, at most 128",
		"a b": "only A-Z", "a:i:b": ":i: and :x: are not allowed"} {
		def := itemDefinition(name)
		_, err := table.Open(t.Context(), rdb, def)
		saysOnce(t, want, "", err, want)
	}
}

func TestErrorsOfRecordsNameTheTableOnce(t *testing.T) {
	t.Parallel()
	name := redistest.Prefix(t)
	tbl, err := table.Open(t.Context(), redistest.Shared(t).Client(t), noteDefinition(name))
	ok(t, err)
	defer tbl.Close()
	for _, trick := range []string{"parse", "panic", "panic error", "get", "score", "nan"} {
		saysOnce(t, trick, name, tbl.Put(t.Context(), note{Key: "k", Trick: trick}), "cannot encode")
		saysOnce(t, trick, name, tbl.ScratchPut(t.Context(), note{Key: "k", Trick: trick}), "cannot encode")
	}
	saysOnce(t, "key", name, tbl.Put(t.Context(), note{Key: "\xff"}), "cannot encode")
	saysOnce(t, "long key", name, tbl.Put(t.Context(), note{Key: strings.Repeat("k", 70_000)}), "too large")
	_, err = tbl.Get(t.Context(), "\xff")
	saysOnce(t, "get", name, err, "cannot encode")
	_, err = tbl.DeleteKeys(t.Context(), "\xff")
	saysOnce(t, "delete", name, err, "cannot encode")
	_, err = tbl.Get(t.Context(), "nobody")
	saysOnce(t, "not found", name, err, "not found")
	ok(t, tbl.Put(t.Context(), note{Key: "k", Trick: "unreadable"}))
	saysOnce(t, "read", name, lastError(tbl.Records(t.Context(), tbl.All("length"))), "cannot decode")
	_, err = tbl.Get(t.Context(), "k")
	saysOnce(t, "get", name, err, "cannot decode")
	ok(t, tbl.Put(t.Context(), note{Key: "k"}))
	_, err = tbl.Count(t.Context(), tbl.All("length").Where(func(*note) bool { panic("no") }))
	saysOnce(t, "count", name, err, "panic")
	saysOnce(t, "look-up", name, lastError(tbl.Lookup(t.Context(), make([]string, 10_001)...)), "10001 keys, at most 10000")
}

// Contexts that have ended, closed, fenced and lost tables, in every verb.
func TestErrorsOfTheTableNameItOnce(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{})
	rdb, name := s.Client(t), redistest.Prefix(t)
	open := func() *items {
		tbl, err := table.Open(t.Context(), rdb, itemDefinition(name))
		ok(t, err)
		t.Cleanup(func() { tbl.Close() })
		return tbl
	}
	check := func(how string, tbl *items, ctx func() context.Context) {
		for what, call := range verbs(tbl) {
			if err := call(ctx()); err != nil {
				saysOnce(t, how+", "+what, name, err)
			} else if how != "fenced" && (how != "lost" || what != "verify") {
				t.Errorf("%s, %s: no error", how, what)
			}
		}
	}
	fenced, why := open(), errors.New("the caller has had enough")
	put(t, fenced, numbered(0, 10)...)
	ended, end := context.WithCancelCause(t.Context())
	end(why)
	check("an ended context", fenced, func() context.Context { return ended })
	late, cancel := context.WithDeadlineCause(t.Context(), time.Now().Add(-time.Hour), fmt.Errorf("why: %w", why))
	defer cancel()
	check("a late context", fenced, func() context.Context { return late })
	lost := open()
	check("fenced", fenced, t.Context)
	ok(t, rdb.Del(t.Context(), name+":r").Err())
	check("lost", lost, t.Context)
	ok(t, lost.Close())
	check("closed", lost, t.Context)
	_, err := table.Open(t.Context(), rdb, itemDefinition(name))
	saysOnce(t, "open", name, err)
	def := itemDefinition(name)
	def.Attributes = def.Attributes[:2]
	_, err = table.Open(t.Context(), rdb, def)
	saysOnce(t, "open", name, err)
	_, err = table.Open(t.Context(), nil, itemDefinition(name))
	saysOnce(t, "open", name, err, "no client")
}
