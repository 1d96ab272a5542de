package scripts

import (
	"time"

	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var renew = define(wire.MayFree, leasing, "renew")

// Renew has the lease of an owner last so long from now on. After GiveUp it does nothing, and the status is StatusStale.
func Renew(c *wire.Client, epoch layout.Epoch, length time.Duration) []any {
	return append(c.Call(renew, 2), string(epoch), length.Microseconds())
}

// GiveUp gives up the lease of an owner.
func GiveUp(c *wire.Client, epoch layout.Epoch) []any { return Renew(c, epoch, 0) }
