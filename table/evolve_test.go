package table_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/internal/walk"
	"github.com/tablecache-go/tablecache/table"
)

// thing is a record whose definition changes.
type thing struct {
	ID, A, B int64
	C        string
	D        *int64
}

type things = table.Table[thing, int64]

type thingDefinition = table.Definition[thing, int64]

func thingAttribute(name byte) table.Attribute[thing] {
	return map[byte]table.Attribute[thing]{
		'i': table.Field("i", codec.Int64, func(r *thing) *int64 { return &r.ID }),
		'a': table.Field("a", codec.Int64, func(r *thing) *int64 { return &r.A }),
		'b': table.Field("b", codec.Int64, func(r *thing) *int64 { return &r.B }),
		'c': table.Field("c", codec.String, func(r *thing) *string { return &r.C }),
		'd': table.Field("d", codec.Nullable(codec.Int64), func(r *thing) **int64 { return &r.D }),
	}[name]
}

func thingIndex(name byte) table.Index[thing] {
	return map[byte]table.Index[thing]{
		'i': table.By("i", func(r *thing) float64 { return float64(r.ID) }),
		'a': table.By("a", func(r *thing) float64 { return float64(r.A) }),
		'A': table.By("a", func(r *thing) float64 { return -float64(r.A) }).Version(1),
		'b': table.By("b", func(r *thing) float64 { return float64(r.B) }),
		'u': table.By("u", func(r *thing) float64 { return float64(r.A % 7) }).Unstored(),
	}[name]
}

// defineThings returns a definition with these attributes and indexes: a letter for each.
func defineThings(name, attributes, indexes string) thingDefinition {
	d := thingDefinition{Name: name, PrimaryKey: table.Key(codec.Int64, func(r *thing) int64 { return r.ID })}
	for i := range attributes {
		d.Attributes = append(d.Attributes, thingAttribute(attributes[i]))
	}
	for i := range indexes {
		d.Indexes = append(d.Indexes, thingIndex(indexes[i]))
	}
	return d
}

// someThings are n records without zeros.
func someThings(n int) (all []thing) {
	for i := range int64(n) {
		seven := i + 7
		all = append(all, thing{ID: i + 1, A: 100 + i, B: 200 - i, C: fmt.Sprint("c", i), D: &seven})
	}
	return all
}

// shows returns what is left of records of which only these attributes are stored.
func shows(all []thing, attributes string) (left []thing) {
	for _, r := range all {
		s := thing{ID: r.ID}
		for _, a := range attributes {
			switch a {
			case 'a':
				s.A = r.A
			case 'b':
				s.B = r.B
			case 'c':
				s.C = r.C
			case 'd':
				s.D = r.D
			}
		}
		left = append(left, s)
	}
	return left
}

func openThings(t testing.TB, rdb redis.UniversalClient, name, attributes, indexes string, opts ...table.Option) *things {
	t.Helper()
	tbl, err := table.Open(t.Context(), rdb, defineThings(name, attributes, indexes), opts...)
	ok(t, err)
	t.Cleanup(func() { tbl.Close() })
	return tbl
}

// thingsReader is a handle that reads things.
type thingsReader interface {
	table.KeyReading[thing, int64]
}

// wantThings wants these records, in the order of an index, by each way of reading.
func wantThings(t testing.TB, h thingsReader, index string, want []thing) {
	t.Helper()
	got := all(t, h.Records(t.Context(), h.All(index)))
	if text(got) != text(want) {
		t.Errorf("by %s: got %s, want %s", index, text(got), text(want))
	}
	if n, err := h.Count(t.Context(), h.All(index)); err != nil || n != len(want) {
		t.Errorf("by %s: count %d, %v", index, n, err)
	}
	if len(want) > 0 {
		r, err := h.Get(t.Context(), want[0].ID)
		if ok(t, err); text([]thing{r}) != text(want[:1]) {
			t.Errorf("get: got %s, want %s", text([]thing{r}), text(want[:1]))
		}
	}
}

func text(all []thing) string {
	var b strings.Builder
	for _, r := range all {
		d := "-"
		if r.D != nil {
			d = fmt.Sprint(*r.D)
		}
		fmt.Fprintf(&b, "%d:%d,%d,%q,%s ", r.ID, r.A, r.B, r.C, d)
	}
	return b.String()
}

// untilBuilt waits until all indexes are complete.
func untilBuilt(t testing.TB, tbl *things) {
	t.Helper()
	until(t, "indexes to be built", func() bool {
		st, err := tbl.Stats(t.Context())
		ok(t, err)
		return len(st.Building) == 0
	})
}

func schemaOf(t testing.TB, rdb *redis.Client, name string) string {
	t.Helper()
	return rdb.HGet(t.Context(), name+":m", "schema").Val()
}

// S1: what is added is zero in the rows that there are, at once, for the owner and for readers of either definition; an owner who does
// not know it takes nothing away, and leaves it out of what it writes.
func TestS1_AttributesAreAdded(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	records := someThings(6)
	old := openThings(t, rdb, name, "iab", "ia")
	ok(t, old.Put(t.Context(), records[:3]...))
	row := rdb.HGet(t.Context(), name+":r", rawKey(1)).Val()

	now := openThings(t, rdb, name, "cibad", "ai")
	ok(t, now.Put(t.Context(), records[3:5]...))
	want := append(shows(records[:3], "ab"), records[3:5]...)
	wantThings(t, now, "a", want)
	reader, err := table.OpenReader(t.Context(), rdb, defineThings(name, "iab", "ia"))
	ok(t, err)
	defer reader.Close()
	wantThings(t, reader, "i", shows(records[:5], "ab"))
	if again := rdb.HGet(t.Context(), name+":r", rawKey(1)).Val(); again != row {
		t.Errorf("a row of before was touched: %x, was %x", again, row)
	}

	back := openThings(t, rdb, name, "iab", "ia")
	wantThings(t, back, "a", shows(records[:5], "ab"))
	ok(t, back.Put(t.Context(), records[5]))
	ok(t, back.Update(t.Context(), 4, func(r *thing) error { r.A = 1; return nil }))
	wantThings(t, reader, "i", shows(append(append(slices.Clone(records[:3]), thing{ID: 4, A: 1, B: records[3].B}), records[4:]...), "ab"))

	last := openThings(t, rdb, name, "iabcd", "ia")
	wantThings(t, last, "i", append(shows(records[:3], "ab"), thing{ID: 4, A: 1, B: records[3].B}, records[4], shows(records[5:], "ab")[0]))
	walk.Walk(t, rdb, name, "i", "a")
}

// S1: what is dropped is never seen again; what is empty stays empty.
func TestS1_AttributesAreDropped(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	records := someThings(3)
	records[1].C = ""
	ok(t, openThings(t, rdb, name, "iabc", "i").Put(t.Context(), records...))
	kept := openThings(t, rdb, name, "ib", "i")
	wantThings(t, kept, "i", shows(records, "b"))
	wantThings(t, openThings(t, rdb, name, "iabc", "i"), "i", shows(records, "abc")) // without WithDropping nothing is dropped

	dropped := openThings(t, rdb, name, "ib", "i", table.WithDropping())
	wantThings(t, dropped, "i", shows(records, "b"))
	reader, err := table.OpenReader(t.Context(), rdb, defineThings(name, "iabc", "i"))
	ok(t, err)
	defer reader.Close()
	wantThings(t, reader, "i", shows(records, "b"))

	added := openThings(t, rdb, name, "iabc", "i")
	wantThings(t, added, "i", shows(records, "b"))
	ok(t, added.Put(t.Context(), records[2]))
	wantThings(t, reader, "i", append(shows(records[:2], "b"), shows(records[2:], "abc")...))
	def, err := table.StoredDefinition(t.Context(), rdb, name)
	if ok(t, err); len(def.Attributes) != 4 {
		t.Errorf("the stored definition has %d attributes", len(def.Attributes))
	}
	report, err := added.Verify(t.Context())
	if ok(t, err); !report.OK() {
		t.Errorf("got %+v", report)
	}
	walk.Walk(t, rdb, name, "i")
}

// S1: the order of attributes and indexes is nobody's business.
func TestS1_TheOrderOfADefinitionDoesNotMatter(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	records := someThings(4)
	first := openThings(t, rdb, name, "iabcd", "iab")
	ok(t, first.Put(t.Context(), records...))
	schema := schemaOf(t, rdb, name)
	other := openThings(t, rdb, name, "dbcai", "bai")
	ok(t, other.Put(t.Context(), records[1:2]...))
	wantThings(t, other, "a", records)
	slices.Reverse(records)
	wantThings(t, other, "b", records)
	n, err := other.Delete(t.Context(), other.Range("b", 0, 198))
	if ok(t, err); n != 1 {
		t.Errorf("deleted %d", n)
	}
	if again := schemaOf(t, rdb, name); again != schema {
		t.Errorf("the schema has changed: %s, was %s", again, schema)
	}
	walk.Walk(t, rdb, name, "i", "a", "b")
}

// S1: set puts back the zero value of what is absent, and a map has it.
func TestS1_WhatIsAbsentIsSet(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	type record = map[string]any
	def := table.Definition[record, int64]{
		Name:       name,
		PrimaryKey: table.Key(codec.Int64, func(r *record) int64 { return (*r)["id"].(int64) }),
		Attributes: []table.Attribute[record]{table.MapField("id", codec.Int64)},
		Indexes:    []table.Index[record]{table.By("id", func(r *record) float64 { return float64((*r)["id"].(int64)) })},
	}
	old := open(t, rdb, def, []string{"id"})
	ok(t, old.Put(t.Context(), record{"id": int64(1)}))
	def.Attributes = append(def.Attributes, table.MapField("name", codec.String), table.MapField("n", codec.Nullable(codec.Int64)))
	now := open(t, rdb, def, []string{"id"})
	ok(t, now.Update(t.Context(), 1, func(r *record) error {
		if (*r)["name"] != "" || (*r)["n"] != (*int64)(nil) {
			t.Errorf("got %v", *r)
		}
		return nil
	}))
}

// S1: a table of version 5 of the layout is read as it is, and taken over without a touch of its rows.
func TestS1_ATableOfVersion5(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	records := someThings(3)
	old := openThings(t, rdb, name, "iabc", "ia")
	ok(t, old.Put(t.Context(), records...))
	ok(t, old.ScratchPut(t.Context(), thing{ID: 9, A: 9, C: "staged"}))
	ok(t, old.Close())
	makeVersion5(t, rdb, name)
	reader, err := table.OpenReader(t.Context(), rdb, defineThings(name, "iabcd", "ai"))
	ok(t, err)
	defer reader.Close()
	wantThings(t, reader, "a", shows(records, "abc"))
	now := openThings(t, rdb, name, "iabcd", "ai")
	wantThings(t, now, "a", shows(records, "abc"))
	ok(t, now.Put(t.Context(), records[1]))
	wantThings(t, reader, "i", append(append(shows(records[:1], "abc"), records[1]), shows(records[2:], "abc")...))
	walk.Walk(t, rdb, name, "i", "a")
}

// makeVersion5 makes a table one as version 5 of the layout has written it, of which nothing is changed but the truth.
func makeVersion5(t testing.TB, rdb *redis.Client, name string) {
	t.Helper()
	schema := strings.Replace(schemaOf(t, rdb, name), `"layout":6`, `"layout":5`, 1)
	ok(t, rdb.HDel(t.Context(), name+":m", "building").Err())
	ok(t, rdb.HSet(t.Context(), name+":m", "schema", schema, "layout", proofOf(schema)).Err())
}

// builds are ways in which a table comes to an index that is not complete: the definition before, and the one after.
var builds = map[string]struct{ before, after, index string }{
	"added":           {"i", "ia", "a"},
	"another version": {"iA", "ia", "a"},
	"the only one":    {"i", "a", "a"},
}

// S2: while an index is built reads by it say so, for everybody, and nothing else is disturbed; what is written meanwhile is in it; and
// then it is complete, which the feed tells.
func TestS2_AnIndexIsBuilt(t *testing.T) {
	t.Parallel()
	for what, c := range builds {
		for state, disturb := range map[string]func(testing.TB, *things){
			"clear": func(t testing.TB, tbl *things) {},
			"written meanwhile": func(t testing.TB, tbl *things) {
				ok(t, tbl.Put(t.Context(), thing{ID: 3, A: 5}, thing{ID: 99, A: 99}))
				_, err := tbl.DeleteKeys(t.Context(), 1, 4)
				ok(t, err)
			},
			"deleted meanwhile": func(t testing.TB, tbl *things) {
				_, err := tbl.DeleteKeys(t.Context(), 1)
				ok(t, err)
				ok(t, tbl.Put(t.Context(), thing{ID: 1, A: 1000}))
			},
			"staged": func(t testing.TB, tbl *things) {
				ok(t, tbl.ScratchPut(t.Context(), thing{ID: 2, A: 17}, thing{ID: 77, A: 3}))
			},
			"merging": func(t testing.TB, tbl *things) {
				ok(t, tbl.ScratchPut(t.Context(), thing{ID: 2, A: 17}, thing{ID: 77, A: 3}))
				_, err := tbl.ScratchDiscardKeys(t.Context(), 5)
				ok(t, err)
				ok(t, tbl.ScratchMerge(t.Context()))
			},
			"emptied": func(t testing.TB, tbl *things) { ok(t, tbl.Clear(t.Context())) },
		} {
			t.Run(what+"/"+state, func(t *testing.T) {
				t.Parallel()
				rdb, name, b := redistest.Shared(t).Client(t), redistest.Prefix(t), newBrake(t)
				old := openThings(t, rdb, name, "iabcd", c.before)
				ok(t, old.Put(t.Context(), someThings(500)...))
				ok(t, old.Close())
				tbl := openThings(t, rdb, name, "iabcd", c.after, table.WithCleanup(b.pool))
				reader, err := table.OpenReader(t.Context(), rdb, defineThings(name, "iabcd", c.after))
				ok(t, err)
				defer reader.Close()
				wantBuilding(t, tbl, c.index)
				wantBuilding(t, reader, c.index)
				disturb(t, tbl)
				if state != "emptied" {
					wantBuilding(t, reader, c.index)
				}
				want, err := table.Collect(tbl.Lookup(t.Context(), allIDs(500)...))
				ok(t, err)
				walk.Walk(t, rdb, name, indexNames(c.after)...)
				b.release()
				untilBuilt(t, tbl)
				if tbl.ScratchMerge(t.Context()) == nil && state == "staged" {
					want, err = table.Collect(tbl.Lookup(t.Context(), allIDs(500)...))
					ok(t, err)
				}
				slices.SortStableFunc(want, func(x, y thing) int { return int(x.A - y.A) })
				wantThings(t, tbl, c.index, want)
				wantThings(t, reader, c.index, want)
				ok(t, tbl.WaitClear(t.Context()))
				report, err := tbl.Verify(t.Context())
				if ok(t, err); !report.OK() || len(report.Building) > 0 {
					t.Errorf("got %+v", report)
				}
				walk.Walk(t, rdb, name, indexNames(c.after)...)
				if n := countEntries(t, rdb, name, "built"); n != 1 {
					t.Errorf("%d entries in the feed", n)
				}
			})
		}
	}
}

func allIDs(n int) (all []int64) {
	for i := range int64(n) {
		all = append(all, i+1)
	}
	return all
}

// indexNames returns the names of indexes.
func indexNames(indexes string) (all []string) {
	for i := range indexes {
		all = append(all, strings.ToLower(indexes[i:i+1]))
	}
	return all
}

func countEntries(t testing.TB, rdb *redis.Client, name, kind string) (n int) {
	t.Helper()
	entries, err := rdb.XRange(t.Context(), name+":f", "-", "+").Result()
	ok(t, err)
	for _, e := range entries {
		if e.Values["k"] == kind {
			n++
		}
	}
	return n
}

// wantBuilding wants every read by an index to say that it is being built, and look-ups to go on.
func wantBuilding(t testing.TB, h thingsReader, index string) {
	t.Helper()
	for what, err := range readsBy(t.Context(), h, index) {
		if !errors.Is(err, table.ErrIndexBuilding) {
			t.Errorf("%s: got %v, want ErrIndexBuilding", what, err)
		}
	}
	if _, err := h.Get(t.Context(), 3); err != nil && !errors.Is(err, table.ErrNotFound) {
		t.Errorf("get: %v", err)
	}
}

// readsBy reads by an index in all ways and returns the errors.
func readsBy(ctx context.Context, h thingsReader, index string) map[string]error {
	errs := make(map[string]error)
	errs["records"] = lastError(h.Records(ctx, h.All(index)))
	errs["reversed"] = lastError(h.Records(ctx, h.Range(index, 0, 3).Reversed()))
	_, errs["first"] = h.First(ctx, h.All(index))
	_, errs["count"] = h.Count(ctx, h.All(index))
	_, _, errs["page"] = h.Page(ctx, h.All(index), "", 3)
	if tbl, is := h.(*things); is {
		_, errs["delete"] = tbl.Delete(ctx, tbl.Range(index, 0, 3))
		errs["delete seq"] = lastError(tbl.DeleteSeq(ctx, tbl.Range(index, 0, 3)))
	}
	return errs
}

// S2: an index whose scores are not stored waits for everything to be loaded anew.
func TestS2_AnUnstoredIndexWaitsForAReload(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	records := someThings(50)
	ok(t, openThings(t, rdb, name, "iab", "i").Put(t.Context(), records...))
	tbl := openThings(t, rdb, name, "iab", "uai")
	until(t, "the other index", func() bool {
		st, err := tbl.Stats(t.Context())
		ok(t, err)
		return len(st.Building) == 1
	})
	wantBuilding(t, tbl, "u")
	_, err := tbl.Count(t.Context(), tbl.All("a"))
	ok(t, err)
	_, err = tbl.ScratchDiscard(t.Context(), tbl.All("u"))
	ok(t, err)
	ok(t, tbl.ScratchPut(t.Context(), records...))
	ok(t, tbl.ScratchMerge(t.Context()))
	untilBuilt(t, tbl)
	if n, err := tbl.Count(t.Context(), tbl.All("u")); err != nil || n != 50 {
		t.Errorf("got %d, %v", n, err)
	}
	ok(t, tbl.WaitClear(t.Context()))
	walk.Walk(t, rdb, name, "i", "a", "u")
}

// S2: an owner who does not know an index takes it off, whoever knows it builds it again; dropped, it is gone.
func TestS2_IndexesGoAndComeBack(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	records := someThings(30)
	ok(t, openThings(t, rdb, name, "iab", "iab").Put(t.Context(), records...))
	reader, err := table.OpenReader(t.Context(), rdb, defineThings(name, "iab", "iab"))
	ok(t, err)
	defer reader.Close()
	wantThings(t, reader, "a", shows(records, "ab"))
	old := openThings(t, rdb, name, "iab", "ia")
	ok(t, old.Put(t.Context(), thing{ID: 1, B: 500}))
	wantBuilding(t, reader, "b")
	if err := readsBy(t.Context(), old, "b")["count"]; !errors.Is(err, table.ErrUnknownIndex) {
		t.Errorf("got %v", err)
	}
	again := openThings(t, rdb, name, "iab", "iab")
	untilBuilt(t, again)
	if r, err := again.First(t.Context(), again.All("b").Reversed()); err != nil || r.ID != 1 {
		t.Errorf("got %v, %v", r, err)
	}
	walk.Walk(t, rdb, name, "i", "a", "b")
	dropping := openThings(t, rdb, name, "iab", "ia", table.WithDropping())
	for what, err := range readsBy(t.Context(), reader, "b") {
		if !errors.Is(err, table.ErrUnknownIndex) {
			t.Errorf("%s: got %v, want ErrUnknownIndex", what, err)
		}
	}
	walk.Walk(t, rdb, name, "i", "a")
	ok(t, dropping.Close())
	untilBuilt(t, openThings(t, rdb, name, "iab", "iab"))
	_, err = reader.Count(t.Context(), reader.All("b"))
	ok(t, err)
}

// S2: what is merged and not folded is folded under the indexes that it was staged under, before others take their place.
func TestS2_AFoldUnderWayIsFinishedFirst(t *testing.T) {
	t.Parallel()
	for what, c := range builds {
		for _, whole := range []string{"a fold", "of a reload"} {
			t.Run(what+"/"+whole, func(t *testing.T) {
				t.Parallel()
				rdb, name, b := redistest.Shared(t).Client(t), redistest.Prefix(t), newBrake(t)
				old := openThings(t, rdb, name, "iabcd", c.before, table.WithCleanup(b.pool))
				ok(t, old.Put(t.Context(), someThings(300)...))
				if whole == "of a reload" {
					_, err := old.ScratchDiscard(t.Context(), old.All("i"))
					ok(t, err)
				}
				ok(t, old.ScratchPut(t.Context(), someThings(350)[250:]...))
				ok(t, old.ScratchMerge(t.Context()))
				want, err := table.Collect(old.Records(t.Context(), old.All("i")))
				ok(t, err)
				ok(t, old.Close())
				b.release()
				tbl := openThings(t, rdb, name, "iabcd", c.after)
				untilBuilt(t, tbl)
				wantThings(t, tbl, c.index, want)
				walk.Walk(t, rdb, name, indexNames(c.after)...)
			})
		}
	}
}

// S2: a build is gone on with by the next owner.
func TestS2_ABuildOutlivesItsOwner(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	records := someThings(3000)
	ok(t, openThings(t, rdb, name, "ia", "i").Put(t.Context(), records...))
	for range 5 {
		ok(t, openThings(t, rdb, name, "ia", "ia").Close())
		walk.Walk(t, rdb, name, "i", "a")
	}
	tbl := openThings(t, rdb, name, "ia", "ai")
	untilBuilt(t, tbl)
	wantThings(t, tbl, "a", shows(records, "a"))
	walk.Walk(t, rdb, name, "i", "a")
}

// S4: readers of all definitions go on while owners of all definitions come and go, and each shows what it knows.
func TestS4_ReadersOfAllDefinitions(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	records := someThings(700)
	ok(t, openThings(t, rdb, name, "iab", "i").Put(t.Context(), records...))
	readers := make(map[string]*table.Reader[thing, int64])
	for _, attributes := range []string{"i", "ia", "bai", "dcbai"} {
		r, err := table.OpenReader(t.Context(), rdb, defineThings(name, attributes, "ib"), table.WithPageBytes(1000))
		ok(t, err)
		defer r.Close()
		readers[attributes] = r
	}
	for _, owner := range []struct{ attributes, indexes string }{{"iabc", "ia"}, {"bai", "i"}, {"dciab", "ibA"}, {"iab", "iab"}, {"i", "i"}} {
		tbl := openThings(t, rdb, name, owner.attributes, owner.indexes)
		for attributes, r := range readers {
			wantThings(t, r, "i", shows(records, common(attributes, "ab")))
			err := lastError(r.Records(t.Context(), r.All("b")))
			if strings.Contains(owner.indexes, "b") {
				untilBuilt(t, tbl)
				err = lastError(r.Records(t.Context(), r.All("b")))
			} else if errors.Is(err, table.ErrIndexBuilding) {
				err = nil
			}
			ok(t, err)
		}
	}
}

func common(a, b string) (both string) {
	for _, letter := range a {
		if strings.ContainsRune(b, letter) {
			both += string(letter)
		}
	}
	return both
}
