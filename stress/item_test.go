package stress

import (
	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/table"
)

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
