package table

import (
	"context"

	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// LinksFrom tells a hook of the client (redis.Hook) for whom a command or pipeline is sent, where that is more than one caller.
// It returns a context for each, which has its caller's values and never ends: from them a tracer makes links. What is sent for
// one caller alone has that caller's values in ctx itself, and no links; nor has what the table sends for itself.
func LinksFrom(ctx context.Context) []context.Context { return wire.CallersOf(ctx) }
