package scripts

import (
	"slices"

	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var open = define(wire.MayFree, writing, "open")

// Claim is what an owner says when it takes a table over.
type Claim struct {
	ID     string // random: it makes a claim that is sent again harmless
	Schema string // the client's layout is its proof
	Owner  string // the owner's name, for people
	Reset  bool   // drop what is there
	Feed   bool   // there is to be a feed
	Before string // the schema that was stored, once it is known: a reset drops its indexes too
}

// Open claims a table. The answer tells the new epoch; with StatusSchema its Last is the schema that is stored.
func Open(c *wire.Client, claim Claim) []any {
	how := "keep"
	if claim.Reset {
		how = "reset"
	}
	feed := layout.NoFeed
	if claim.Feed {
		feed = "feed"
	}
	earlier := layout.KeysOf(c.Keys.Table, layout.IndexesIn(claim.Before))
	keys := slices.Concat(c.Keys.All, earlier.Merged, earlier.Shadow)
	return c.CallOn(open, keys, claim.ID, claim.Schema, len(c.Keys.All), how, claim.Before, c.Layout, claim.Owner, feed)
}
