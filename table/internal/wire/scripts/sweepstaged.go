package scripts

import (
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var sweepStaged = define(wire.MayFree, sweeping, "sweepstaged")

// SweepStaged discards rows by where they lie, other than those with the keys that are kept. Answer: as of Sweep.
func SweepStaged(c *wire.Client, e *Effect) []any { return byPlace(c, sweepStaged, e) }
