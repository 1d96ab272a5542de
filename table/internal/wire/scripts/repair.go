package scripts

import (
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var repair = define(wire.MayFree, writing, "repair")

// Remedy names what is done about a problem. Its method Staged returns the remedy for staged rows or entries.
type Remedy string

// The remedies.
const (
	DropOrphan   Remedy = "orphan"   // an entry without a row
	MakeEntry    Remedy = "entry"    // an entry that is missing, or has a wrong score
	DropRow      Remedy = "row"      // a row that cannot be decoded
	MendLeftover Remedy = "leftover" // a row of another generation
	SetCounts    Remedy = "counts"
)

// Staged returns the same remedy for what is staged.
func (r Remedy) Staged() Remedy { return "staged " + r }

// Damage is what is to be mended, as the audit has read it.
type Damage struct {
	Index           int
	Key, Row, Score string
}

// Repair mends one thing, if it still is as the audit has read it.
func Repair(c *wire.Client, epoch layout.Epoch, r Remedy, p Damage) []any {
	return append(c.Call(repair, 6), string(epoch), string(r), p.Index+1, p.Key, p.Row, p.Score)
}

// ReadRepair tells whether the thing was mended.
func ReadRepair(a *wire.Answer) (mended bool, err error) {
	return string(a.Rest.Text()) == "1", a.Rest.Err()
}
