package table_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// A definition tells of a record what Put would store.
func TestADefinitionTellsScoreKeyAndSize(t *testing.T) {
	t.Parallel()
	rdb := redistest.Shared(t).Client(t)
	tbl := openOn(t, rdb, redistest.Prefix(t))
	def, note := tbl.Definition(), "a note"
	for _, i := range []item{{}, {ID: 5, Name: strings.Repeat("x", 1000), At: -3, Rank: inf, Note: &note, Tags: []string{"a", ""}}} {
		put(t, tbl, i)
		key, err := def.KeyOf(&i)
		if ok(t, err); key != i.ID {
			t.Errorf("key %d, want %d", key, i.ID)
		}
		encoded, err := codec.Int64.Append(nil, i.ID)
		ok(t, err)
		row, err := rdb.HGet(t.Context(), tbl.Name()+":r", string(encoded)).Result()
		ok(t, err)
		size, err := def.Size(&i)
		if ok(t, err); size != len(encoded)+len(row) {
			t.Errorf("%d bytes, want %d and %d", size, len(encoded), len(row))
		}
		for index, want := range map[string]float64{"at": i.At, "rank": i.Rank} {
			score, err := def.Score(index, &i)
			if ok(t, err); score != want {
				t.Errorf("score %v by %s, want %v", score, index, want)
			}
		}
	}
}

// A definition fails as Put does.
func TestADefinitionTellsWhatPutRefuses(t *testing.T) {
	t.Parallel()
	def := itemDefinition("refusing")
	def.Indexes = append(def.Indexes, table.By("panics", func(*item) float64 { panic(secret) }), table.By[item]("nothing", nil))
	bad := def
	bad.PrimaryKey = table.Key(codec.Int64, func(*item) int64 { panic(secret) })
	_, unknown := def.Score("At", &item{})
	_, notANumber := def.Score("at", &item{ID: 3, At: nan})
	_, panics := def.Score("panics", &item{ID: 3})
	_, nothing := def.Score("nothing", &item{})
	_, noKey := bad.KeyOf(&item{})
	_, noSize := bad.Size(&item{})
	_, notText := def.Size(&item{Name: "\xff"})
	_, tooLarge := def.Size(&item{Name: strings.Repeat("x", 65<<20)})
	for what, c := range map[string]struct{ err, want error }{
		"unknown index": {unknown, table.ErrUnknownIndex}, "NaN": {notANumber, codec.ErrValue}, "panics": {panics, table.ErrPanic},
		"no function": {nothing, table.ErrPanic}, "KeyOf": {noKey, table.ErrPanic}, "Size, no key": {noSize, table.ErrPanic},
		"Size, no text": {notText, codec.ErrValue}, "Size, too large": {tooLarge, table.ErrTooLarge},
	} {
		if !errors.Is(c.err, c.want) || strings.Contains(c.err.Error(), secret) {
			t.Errorf("%s: got %v", what, c.err)
		}
	}
	var c *table.CodingError
	if !errors.As(notANumber, &c) || c.Index != "at" || c.Key == "" || c.Table != "refusing" {
		t.Errorf("got %+v", c)
	}
}

// Definition is what was given, whatever schema is stored, and the caller's own.
func TestATablesDefinitionIsAsItWasGiven(t *testing.T) {
	t.Parallel()
	name, rdb := redistest.Prefix(t), redistest.Shared(t).Client(t)
	openOn(t, rdb, name).Close()
	given := itemDefinition(name)
	given.Attributes = given.Attributes[:3]
	given.Attributes[0], given.Attributes[1] = given.Attributes[1], given.Attributes[0]
	given.Indexes = given.Indexes[:1]
	tbl, err := table.Open(t.Context(), rdb, given)
	ok(t, err)
	defer tbl.Close()
	got := tbl.Definition()
	if got.Name != name || len(got.Attributes) != 3 || len(got.Indexes) != 1 {
		t.Errorf("%d attributes, %d indexes", len(got.Attributes), len(got.Indexes))
	}
	if _, err := got.Score("rank", &item{}); !errors.Is(err, table.ErrUnknownIndex) {
		t.Errorf("got %v", err)
	}
	clear(got.Indexes)
	clear(got.Attributes)
	again := tbl.Definition()
	if _, err := again.Score("at", &item{}); err != nil {
		t.Error(err)
	}
}

// S1, S5: a fingerprint tells what is stored, in whatever order, and the version of the index.
func TestAFingerprintTellsWhatIsStored(t *testing.T) {
	t.Parallel()
	def := itemDefinition("one")
	reordered, versioned, fewer := itemDefinition("two"), itemDefinition("one"), itemDefinition("one")
	slices.Reverse(reordered.Attributes)
	slices.Reverse(reordered.Indexes)
	versioned.Indexes = []table.Index[item]{table.By("at", func(i *item) float64 { return i.At }).Version(1)}
	fewer.Attributes = fewer.Attributes[1:]
	if def.Fingerprint("at") != reordered.Fingerprint("at") {
		t.Error("the order, or the name of the table, makes a difference")
	}
	if def.Fingerprint("at") == versioned.Fingerprint("at") || def.Fingerprint("at") == fewer.Fingerprint("at") {
		t.Error("a version, or an attribute, makes no difference")
	}
	if def.IsUnstored("at") || versioned.IsUnstored("none") {
		t.Error("it is unstored")
	}
}
