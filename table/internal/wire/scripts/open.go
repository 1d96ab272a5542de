package scripts

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var open = define(wire.MayFree, leasing, "open")

// Claim is what a new owner wants.
type Claim struct {
	ID     string        // a random id: a claim that is sent twice makes one owner
	Schema string        // the definition's; wire.Client.Layout is the hash of it
	Owner  string        // the owner's name, for people
	Reset  bool          // drop what is there
	Feed   bool          // there is to be a feed
	Lease  time.Duration // of the new owner
	Yield  bool          // do not claim it while another owner holds a lease
	Before string        // the stored schema, once it is known, so that a reset drops its indexes too
}

// Open claims a table. The answer has the new epoch. If its status is StatusSchema, Last is the stored schema. If it is
// StatusHeld, ReadHeld reads it.
func Open(c *wire.Client, claim Claim) []any {
	how := "keep"
	if claim.Reset {
		how = "reset"
	}
	feed := layout.NoFeed
	if claim.Feed {
		feed = "feed"
	}
	whose := "take"
	if claim.Yield {
		whose = "yield"
	}
	earlier := layout.KeysOf(c.Keys.Table, layout.IndexesIn(claim.Before))
	keys := slices.Concat(c.Keys.All, earlier.Merged, earlier.Shadow)
	return c.CallOn(open, keys, claim.ID, claim.Schema, len(c.Keys.All), how, claim.Before, c.Layout, claim.Owner, feed, claim.Lease.Microseconds(), whose)
}

// Holder returns as whom the new owner holds the lease.
func Holder(claim Claim) string { return claim.Owner + " " + claim.ID }

// ReadHeld returns a *wire.HeldError: who holds the lease, and for how long at most.
func ReadHeld(a *wire.Answer) error {
	left, holder, found := strings.Cut(a.Last, " ")
	micros, err := strconv.ParseInt(left, 10, 64)
	if !found || err != nil {
		return fmt.Errorf("%w: the lease cannot be read", engine.ErrLost)
	}
	return &wire.HeldError{Holder: holder, Left: time.Duration(micros) * time.Microsecond}
}
