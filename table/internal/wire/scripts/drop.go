package scripts

import (
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var dropAll = define(wire.MayFree, writing, "drop")

// Found is what there is of a table that is to be dropped.
type Found struct {
	Keys          int // how many of these keys exist: the truth, the rows, the staged rows, the feed
	Schema, Epoch string
}

// Drop drops a table, if it still is what was found. With an empty found it drops nothing, and its answer tells what there is.
func Drop(c *wire.Client, found Found) []any {
	keys := layout.KeysOf(c.Keys.Table, layout.IndexesIn(found.Schema))
	return c.CallOn(dropAll, keys.All, found.Schema, found.Epoch)
}

// ReadDrop returns what was there. It was dropped if the call has named the same schema and epoch.
func ReadDrop(a *wire.Answer) (Found, error) {
	f := Found{Keys: a.Rest.Integer(), Schema: string(a.Rest.Text()), Epoch: string(a.Rest.Text())}
	return f, a.Rest.Err()
}
