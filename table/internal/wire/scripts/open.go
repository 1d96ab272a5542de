package scripts

import (
	"slices"

	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var open = define(wire.MayFree, writing, "open")

// Claim is what a new owner wants.
type Claim struct {
	ID     string // a random id: a claim that is sent twice makes one owner
	Schema string // the definition's; wire.Client.Layout is the hash of it
	Owner  string // the owner's name, for people
	Reset  bool   // drop what is there
	Feed   bool   // there is to be a feed
	Before string // the stored schema, once it is known, so that a reset drops its indexes too
}

// Open claims a table. The answer has the new epoch. If its status is StatusSchema, Last is the stored schema.
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
