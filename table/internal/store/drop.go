package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// Drop removes a table of which only the name is known. When ctx ends it returns at once, as Open does.
func Drop(ctx context.Context, rdb redis.UniversalClient, name string) error {
	c := wire.NewClient(rdb, layout.KeysOf(name, nil), "", scripts.All())
	var found scripts.Found
	return untilEnded(ctx, c, func() error {
		err := prepare(ctx, c, wire.Preflight{Evictable: true, Logger: zap.NewNop()})
		if err == nil {
			found, err = findTable(ctx, c)
		}
		return err
	}, func() error { return drop(ctx, c, found) })
}

// findTable returns what is to be dropped. It changes nothing.
func findTable(ctx context.Context, c *wire.Client) (scripts.Found, error) {
	found, err := runDrop(ctx, c, scripts.Found{})
	switch {
	case err != nil:
		return found, err
	case found.Keys == 0:
		return found, wire.ErrNoTable
	case len(layout.IndexesIn(found.Schema)) == 0:
		return found, fmt.Errorf("%w: its schema cannot be read, and so its indexes are not known", engine.ErrLost)
	}
	return found, nil
}

// drop drops the table if it still is what was found. So a call that is sent twice does no harm.
func drop(ctx context.Context, c *wire.Client, found scripts.Found) error {
	now, err := runDrop(ctx, c, found)
	switch {
	case err != nil && !wire.IsRefusal(err) && !errors.Is(err, engine.ErrLost) && !wire.NeverSent(err):
		return engine.Because(engine.ErrUnknownOutcome, err)
	case err != nil:
		return err
	case now.Keys > 0 && (now.Schema != found.Schema || now.Epoch != found.Epoch):
		return fmt.Errorf("%w: it was opened while it was being dropped", engine.ErrFenced)
	}
	return nil // the table is gone: this call, or an earlier attempt of it, has dropped it
}

func runDrop(ctx context.Context, c *wire.Client, found scripts.Found) (scripts.Found, error) {
	a, err := c.RunRaw(ctx, scripts.Drop(c, found))
	if err != nil {
		return scripts.Found{}, wire.LostToForeignType(err)
	}
	return scripts.ReadDrop(&a)
}
