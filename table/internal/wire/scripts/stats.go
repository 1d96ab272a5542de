package scripts

import (
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var stats = define(wire.MayRead, reading, "stats")

// Stats reads what the table holds.
func Stats(c *wire.Client) []any { return read(c, stats, 0) }

// Held is what a table holds, and who owns it.
type Held struct {
	Records, Staged        int
	Owner                  string
	FeedEntries, FeedBytes int64 // FeedBytes is 0 if the server does not tell
}

// ReadStats returns what the table holds.
func ReadStats(a *wire.Answer) (Held, error) {
	h := Held{Records: a.Rest.Integer(), Staged: a.Rest.Integer(), Owner: string(a.Rest.Text())}
	h.FeedEntries, h.FeedBytes = int64(a.Rest.Integer()), int64(a.Rest.Integer())
	return h, a.Rest.Err()
}
