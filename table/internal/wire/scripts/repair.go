package scripts

import (
	"strconv"

	"github.com/tablecache-go/tablecache/engine"
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
	DropFeed     Remedy = "feed" // which does not end with the table's number
)

// Staged returns the same remedy for what is staged.
func (r Remedy) Staged() Remedy { return "staged " + r }

// Repair mends one thing, if it still is as it was read. The status is StatusSound if there is nothing to mend. Answer: Result.
func Repair(c *wire.Client, e *Effect) []any {
	return appendDamage(numbered(c, repair, e, 5), e.Damage)
}

// declareBuilt declares those indexes complete that were being built and have an entry for each row.
const declareBuilt Remedy = "built"

// Built declares indexes complete. The status is StatusSound if there is none more that is. Answer: Result.
func Built(c *wire.Client, e *Effect) []any {
	return appendDamage(numbered(c, repair, e, 5), &engine.Damage{Remedy: string(declareBuilt)})
}

// RepairLost is Repair for a table that its owner has found lost, so that the owner gives out no numbers any more: the script takes
// one. known is the latest position that the owner knows of: a table that has gone back behind it is not mended, but StatusLost.
func RepairLost(c *wire.Client, known layout.Position, d *engine.Damage) []any {
	return appendDamage(append(c.Call(repair, 11), string(known.Epoch), "", strconv.FormatUint(known.Seq, 10), "", "", ""), d)
}

func appendDamage(args []any, d *engine.Damage) []any {
	return append(args, d.Remedy, d.Index+1, d.Key, d.Row, d.Score)
}
