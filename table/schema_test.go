package table_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// otherCodecs are changes after which rows written before would be misread.
func otherCodecs() map[string]func(*definition) {
	return map[string]func(*definition){
		"attribute codec": func(d *definition) { d.Attributes[0] = table.Field("id", codec.IntAsString, itemID) },
		"key codec": func(d *definition) {
			d.PrimaryKey = table.Key(codec.IntAsString, func(i *item) int64 { return i.ID })
		},
	}
}

// otherSchemas are changes of all kinds.
func otherSchemas() map[string]func(*definition) {
	all := map[string]func(*definition){
		"attribute added": func(d *definition) {
			d.Attributes = append(d.Attributes, table.Field("id2", codec.Int64, itemID))
		},
		"attribute removed":   func(d *definition) { d.Attributes = d.Attributes[:5] },
		"attributes in order": func(d *definition) { slices.Reverse(d.Attributes) },
		"index removed":       func(d *definition) { d.Indexes = d.Indexes[:1] },
		"index added": func(d *definition) {
			d.Indexes = append(d.Indexes, table.By("id", func(i *item) float64 { return float64(i.ID) }))
		},
		"index renamed":    func(d *definition) { d.Indexes[1] = table.By("rank2", func(i *item) float64 { return i.Rank }) },
		"indexes in order": func(d *definition) { slices.Reverse(d.Indexes) },
	}
	for what, change := range otherCodecs() {
		all[what] = change
	}
	return all
}

// S3: another codec is refused, and the owner left alone.
func TestS3_OpenRefusesAnotherCodecAndLeavesTheOwnerAlone(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	owner := openOn(t, rdb, name)
	put(t, owner, numbered(0, 5)...)
	before := dump(t, rdb, name)
	for what, change := range otherCodecs() {
		def := itemDefinition(name)
		change(&def)
		if _, err := table.Open(t.Context(), rdb, def); !errors.Is(err, table.ErrSchemaMismatch) {
			t.Errorf("%s: got %v, want ErrSchemaMismatch", what, err)
		}
	}
	wantUntouched(t, rdb, name, before)
	put(t, owner, numbered(5, 6)...) // a failing Open fences nobody
}

func TestWithResetDropsAnyEarlierSchema(t *testing.T) {
	t.Parallel()
	for what, change := range otherSchemas() {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
			def := itemDefinition(name)
			change(&def)
			old, err := table.Open(t.Context(), rdb, def)
			ok(t, err)
			put(t, old, numbered(0, 5)...)
			ok(t, old.ScratchPut(t.Context(), numbered(5, 9)...))
			ok(t, old.Close())

			tbl := openOn(t, rdb, name, table.WithReset())
			wantIDs(t, tbl, tbl.All("at"))
			put(t, tbl, numbered(7, 8)...)
			wantIDs(t, tbl, tbl.All("rank"), 7)
		})
	}
}

func TestTheSameSchemaFindsWhatWasStored(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	first := openOn(t, rdb, name)
	put(t, first, numbered(0, 5)...)
	ok(t, first.Close())
	second := openOn(t, rdb, name)
	wantIDs(t, second, second.All("at").Reversed(), 4, 3, 2, 1, 0)
}
