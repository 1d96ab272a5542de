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
	ID     string           // a random id: a claim that is sent twice makes one owner
	Schema layout.Evolution // of the stored schema to the owner's
	Owner  string           // the owner's name, for people
	Reset  bool             // drop what is there
	Feed   bool             // there is to be a feed
	Lease  time.Duration    // of the new owner
	Yield  bool             // do not claim it while another owner holds a lease
	Held   string           // as whom the new owner holds the lease already
}

// Open claims a table. The answer has the new epoch; see ReadBuilding. If its status is StatusSchema, another schema is stored than the
// claim evolves: see ReadStored. If it is StatusState, what is merged must be folded before the indexes change. If it is
// StatusHeld, ReadHeld reads it.
func Open(c *wire.Client, claim Claim) []any {
	how, feed, moves := "keep", layout.NoFeed, ""
	if claim.Reset {
		how = "reset"
	}
	if claim.Feed {
		feed = "feed"
	}
	whose := "take"
	if claim.Yield {
		whose = "yield"
	}
	e, text := &claim.Schema, claim.Schema.To.Text()
	if e.Moves() {
		moves = "moves"
	}
	ours := layout.KeysOf(c.Keys.Table, e.To.Names())
	goes := layout.KeysOf(c.Keys.Table, e.Empties)
	if e.From.Text != "" && !claim.Reset {
		ours = layout.KeysOf(c.Keys.Table, layout.IndexesIn(e.From.Text))
	} else if claim.Reset {
		goes = layout.KeysOf(c.Keys.Table, layout.IndexesIn(e.From.Text))
	}
	keys := slices.Concat(ours.All, goes.Merged, goes.Shadow)
	return c.CallOn(open, keys, claim.ID, text, len(ours.All), how, e.From.Text, layout.Proof(text), claim.Owner, feed, e.From.Building, e.Building, moves,
		claim.Lease.Microseconds(), whose, claim.Held)
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

// ReadBuilding returns how many indexes are being built, of a table that was claimed.
func ReadBuilding(a *wire.Answer) (int, error) {
	n, err := strconv.Atoi(a.Last)
	if err != nil {
		return 0, errTruth
	}
	return n, nil
}

// ReadStored returns the schema that is stored, from an answer of StatusSchema.
func ReadStored(a *wire.Answer) (layout.Stored, error) {
	building, text, found := strings.Cut(a.Last, " ")
	n, err := strconv.Atoi(building)
	if !found || err != nil {
		return layout.Stored{}, errTruth
	}
	return layout.Stored{Text: text, Building: n}, nil
}

var errTruth = fmt.Errorf("%w: a number in the table's truth cannot be read", engine.ErrLost)
