package stress

import (
	"fmt"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/table"
)

// Item is the record of the tables that are compared with a model. Version tells one write from
// another; it is no score, so that a stale row is seen even where its scores stayed.
type Item struct {
	Key     string
	Version int64
	A, B    float64
}

// Spec is a spec of items.
type Spec = table.Spec[Item]

// Score returns the item's score in an index.
func (i Item) Score(index string) float64 {
	if index == "a" {
		return i.A
	}
	return i.B
}

// String is short: histories are long.
func (i Item) String() string { return fmt.Sprintf("%q/%d(%g,%g)", i.Key, i.Version, i.A, i.B) }

// itemTable defines a table of items, with indexes a and b.
func itemTable(name string) table.Definition[Item, string] {
	return table.Definition[Item, string]{
		Name:       name,
		PrimaryKey: table.Key(codec.String, func(i *Item) string { return i.Key }),
		Attributes: []table.Attribute[Item]{
			table.Field("key", codec.String, func(i *Item) *string { return &i.Key }),
			table.Field("version", codec.Int64, func(i *Item) *int64 { return &i.Version }),
			table.Field("a", codec.Float64, func(i *Item) *float64 { return &i.A }),
			table.Field("b", codec.Float64, func(i *Item) *float64 { return &i.B }),
		},
		Indexes: []table.Index[Item]{
			table.By("a", func(i *Item) float64 { return i.A }),
			table.By("b", func(i *Item) float64 { return i.B }),
		},
	}
}
