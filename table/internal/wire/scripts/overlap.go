package scripts

import (
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var overlap = define(wire.MayRead, reading, "overlap")

// A step of Overlap looks at so many keys at most, and at about so many bytes of rows, which stay on the server.
const (
	overlapKeys  = 4000
	overlapBytes = 4 << 20
)

// OverlapBegin is the cursor of the first step of Overlap, and the next one after the last.
const OverlapBegin = "0"

// Overlap counts what of the staged rows hides merged ones: one step from a cursor on.
func Overlap(c *wire.Client, cursor string) []any {
	return append(read(c, overlap, 3), cursor, overlapKeys, overlapBytes)
}

// Overlapping is what one step has found, and what the table counts at that moment.
type Overlapping struct {
	Cursor                  string // of the next step
	Seen, Hidden            int    // staged rows and tombstones of this step; merged rows that these hide. One may be seen twice
	Records, Staged, Shadow int    // merged rows; staged rows and tombstones; staged rows alone
}

// ReadOverlap returns what the step has found.
func ReadOverlap(a *wire.Answer) (Overlapping, error) {
	r := &a.Rest
	o := Overlapping{Cursor: string(r.Text()), Seen: r.Integer(), Hidden: r.Integer()}
	o.Records, o.Staged, o.Shadow = r.Integer(), r.Integer(), r.Integer()
	return o, r.Err()
}
