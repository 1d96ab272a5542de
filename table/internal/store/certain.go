package store

import (
	"context"
	"errors"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// certain calls a script that writes. If the script says that the table is lost, a connection of the pool may lead elsewhere, where
// the script has changed nothing: then certain calls it once more, on a server that is a primary for certain.
func certain(ctx context.Context, c *wire.Client, epoch layout.Epoch, call []any) (wire.Answer, error) {
	a, err := c.Run(ctx, wire.SendOnce, call)
	if isDoubtful(a, err, epoch) {
		a, err = confirmed(ctx, c, epoch, call)
	}
	return a, err
}

// confirmed calls a script through a new connection. If the answer contradicts the loss that was told before, the idle connections
// of the pool are dropped.
func confirmed(ctx context.Context, c *wire.Client, epoch layout.Epoch, call []any) (wire.Answer, error) {
	a, err := c.ConfirmCall(ctx, call)
	if err == nil && !isDoubtful(a, nil, epoch) {
		c.DropIdle(ctx)
	}
	return a, err
}

// isDoubtful tells whether a script says that the table is lost, which must be confirmed.
func isDoubtful(a wire.Answer, err error, epoch layout.Epoch) bool {
	if err != nil {
		return errors.Is(wire.LostToForeignType(err), engine.ErrLost)
	}
	switch a.Status {
	case wire.StatusBurned, wire.StatusStale, wire.StatusSchema, wire.StatusHeld:
		return false
	}
	return errors.Is(a.Err(epoch), engine.ErrLost)
}
