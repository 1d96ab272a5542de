package table_test

import (
	"errors"
	"math/big"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// stored is a record of many types.
type stored struct {
	ID    uuid.UUID
	Seats *int64
	Tags  []string
	Sum   *big.Int
	When  time.Time
	Extra map[string]int
	Score float64
}

func storedDefinition(name string) table.Definition[stored, uuid.UUID] {
	return table.Definition[stored, uuid.UUID]{
		Name:       name,
		PrimaryKey: table.Key(codec.UUID, func(s *stored) uuid.UUID { return s.ID }),
		Attributes: []table.Attribute[stored]{
			table.Field("id", codec.UUID, func(s *stored) *uuid.UUID { return &s.ID }),
			table.Field("seats", codec.Nullable(codec.Int64), func(s *stored) **int64 { return &s.Seats }),
			table.Field("tags", codec.Array(codec.String), func(s *stored) *[]string { return &s.Tags }),
			table.Field("sum", codec.BigIntAsString, func(s *stored) **big.Int { return &s.Sum }),
			table.Field("when", codec.Time, func(s *stored) *time.Time { return &s.When }),
			table.Field("extra", codec.JSON[map[string]int](), func(s *stored) *map[string]int { return &s.Extra }),
		},
		Indexes: []table.Index[stored]{
			table.By("score", func(s *stored) float64 { return s.Score }).Unstored().Version(3),
			table.By("when", func(s *stored) float64 { return float64(s.When.Unix()) }),
		},
	}
}

// TestAStoredDefinitionReads reads a table whose records are not known, in every way.
func TestAStoredDefinitionReads(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl := open(t, rdb, storedDefinition(name), []string{"score", "when"})
	seven := int64(7)
	record := stored{ID: uuid.UUID{1}, Seats: &seven, Tags: []string{"a", "b"}, Sum: big.NewInt(1 << 40), When: time.Unix(100, 5).UTC(),
		Extra: map[string]int{"x": 1}, Score: 2.5}
	ok(t, tbl.Put(t.Context(), record, stored{ID: uuid.UUID{2}, Sum: big.NewInt(0), When: time.Unix(0, 0).UTC(), Score: 9}))
	def, err := table.StoredDefinition(t.Context(), rdb, name)
	ok(t, err)
	r, err := table.OpenReader(t.Context(), rdb, def)
	ok(t, err)
	t.Cleanup(func() { r.Close() })
	want := map[string]any{"id": record.ID, "seats": &seven, "tags": record.Tags, "sum": record.Sum, "when": record.When,
		"extra": []byte(`{"x":1}`)}
	got, err := r.Get(t.Context(), uuid.UUID{1})
	ok(t, err)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if found := all(t, r.Records(t.Context(), r.Range("score", 2, 3))); len(found) != 1 || !reflect.DeepEqual(found[0], want) {
		t.Errorf("a range: got %v", found)
	}
	if n, err := r.Count(t.Context(), r.All("when")); n != 2 || err != nil {
		t.Errorf("count %d, %v", n, err)
	}
	if _, err := r.Get(t.Context(), "no uuid"); !errors.Is(err, codec.ErrValue) {
		t.Errorf("a key of another type: got %v", err)
	}
	if _, err := table.Open(t.Context(), rdb, def); !errors.Is(err, table.ErrInvalidDefinition) {
		t.Errorf("opened to write: got %v", err)
	}
}

// TestAStoredDefinitionOfAnUnknownKey: keys of a type that only its user knows are bytes.
func TestAStoredDefinitionOfAnUnknownKey(t *testing.T) {
	t.Parallel()
	type pair struct{ A, B int64 }
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	keys := codec.Struct(codec.PartOf(codec.Int64, func(p *pair) *int64 { return &p.A }), codec.PartOf(codec.Int64, func(p *pair) *int64 { return &p.B }))
	tbl := open(t, rdb, table.Definition[pair, pair]{
		Name:       name,
		PrimaryKey: table.Key(keys, func(p *pair) pair { return *p }),
		Attributes: []table.Attribute[pair]{table.Field("a", codec.Int64, func(p *pair) *int64 { return &p.A })},
		Indexes:    []table.Index[pair]{table.By("b", func(p *pair) float64 { return float64(p.B) }).Unstored()},
	}, []string{"b"})
	ok(t, tbl.Put(t.Context(), pair{1, 2}, pair{3, 4}))
	def, err := table.StoredDefinition(t.Context(), rdb, name)
	ok(t, err)
	r, err := table.OpenReader(t.Context(), rdb, def)
	ok(t, err)
	t.Cleanup(func() { r.Close() })
	raw, err := keys.Append(nil, pair{3, 4})
	ok(t, err)
	if found := all(t, r.Lookup(t.Context(), raw, raw)); len(found) != 1 || found[0]["a"] != int64(3) {
		t.Errorf("got %v", found)
	}
}

func TestNoStoredDefinition(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	for what, c := range map[string]struct {
		value string // of the field schema; empty: there is no table
		name  string
		want  error
	}{
		"no table":       {"", name, table.ErrNoTable},
		"no name":        {"", "a b", table.ErrInvalidDefinition},
		"another layout": {`{"layout":2,"key":"int64"}`, name, table.ErrSchemaMismatch},
		"damaged":        {`{`, name, table.ErrLost},
	} {
		t.Run(what, func(t *testing.T) {
			if c.value != "" {
				ok(t, rdb.HSet(t.Context(), name+":m", "schema", c.value).Err())
			}
			if _, err := table.StoredDefinition(t.Context(), rdb, c.name); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			rdb.Del(t.Context(), name+":m")
		})
	}
	ok(t, rdb.Set(t.Context(), name+":m", "other", 0).Err())
	if _, err := table.StoredDefinition(t.Context(), rdb, name); !errors.Is(err, table.ErrLost) {
		t.Errorf("a key of somebody else: got %v", err)
	}
}
