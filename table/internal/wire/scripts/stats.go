package scripts

import (
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var stats = define(wire.MayRead, reading, "stats")

// Stats asks what the table holds.
func Stats(c *wire.Client) []any { return read(c, stats, 0) }

// ReadStats returns how many rows are merged and how many are staged.
func ReadStats(a *wire.Answer) (records, staged int, err error) {
	records, staged = a.Rest.Integer(), a.Rest.Integer()
	return records, staged, a.Rest.Err()
}
