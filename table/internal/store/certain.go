package store

import (
	"context"
	"errors"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// certain has a script that writes called, and called once more, by a primary for certain, where it says that the table is lost: a
// connection of the pool may lead elsewhere. There it has changed nothing.
func certain(ctx context.Context, c *wire.Client, epoch layout.Epoch, call []any) (wire.Answer, error) {
	a, err := c.Run(ctx, wire.SendOnce, call)
	if isDoubtful(a, err, epoch) {
		a, err = confirmed(ctx, c, epoch, call)
	}
	return a, err
}

// confirmed calls a script by way of a connection of its own. If that contradicts what was said before, the pool is cleaned.
func confirmed(ctx context.Context, c *wire.Client, epoch layout.Epoch, call []any) (wire.Answer, error) {
	a, err := c.ConfirmCall(ctx, call)
	if err == nil && !isDoubtful(a, nil, epoch) {
		c.DropIdle(ctx)
	}
	return a, err
}

// isDoubtful tells whether a script says that the table is lost.
func isDoubtful(a wire.Answer, err error, epoch layout.Epoch) bool {
	if err != nil {
		return errors.Is(wire.LostToForeignType(err), engine.ErrLost)
	}
	switch a.Status {
	case wire.StatusBurned, wire.StatusStale, wire.StatusSchema:
		return false
	}
	return errors.Is(a.Err(epoch), engine.ErrLost)
}
