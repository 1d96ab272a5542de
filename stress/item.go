package stress

import (
	"fmt"

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
