package scripts

import (
	"strconv"

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
	Built                  []int // how many entries the last indexes have, which are being built
}

// ReadStats returns what the table holds.
func ReadStats(a *wire.Answer) (Held, error) {
	h := Held{Records: a.Rest.Integer(), Staged: a.Rest.Integer(), Owner: string(a.Rest.Text())}
	h.FeedEntries, h.FeedBytes = int64(a.Rest.Integer()), int64(a.Rest.Integer())
	for _, n := range a.Rest.Texts() {
		entries, _ := strconv.Atoi(string(n)) // written by the script
		h.Built = append(h.Built, entries)
	}
	return h, a.Rest.Err()
}
