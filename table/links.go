package table

import (
	"context"

	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// LinksFrom tells a hook of the client (redis.Hook) for whom a command or a pipeline is sent, if that is more than one caller.
// It returns a context for each caller, which has the caller's values and never ends: a tracer makes links from them. If
// something is sent for one caller alone, ctx itself has that caller's values, and LinksFrom returns nothing. It also returns
// nothing for what the table sends for itself.
func LinksFrom(ctx context.Context) []context.Context { return wire.CallersOf(ctx) }
