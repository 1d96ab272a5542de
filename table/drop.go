package table

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/store"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// Drop removes the table of this name, and all that is staged, in one step, whoever owns the table. From then
// on the owner's writes and reads are ErrLost, or ErrFenced once somebody has opened the table anew. Drop
// waits for answers until ctx ends. rdb must meet the same conditions as for Open.
//
// It fails with ErrNoTable if there is no such table, with ErrInvalidDefinition, with ErrUnsafeClient, with ErrFenced
// if somebody has opened the table meanwhile (drop it again if you mean it), or with what Redis says. A damaged
// table is dropped too if its stored schema, which names the indexes, can be read. If it cannot, the error is
// ErrLost, and Open with WithReset removes what is there. A failing Drop changes nothing, but if its error Is
// ErrUnknownOutcome it may have dropped the table.
func Drop(ctx context.Context, rdb redis.UniversalClient, name string) error {
	if wrong := layout.WrongTableName(name); wrong != "" {
		return fmt.Errorf("table %s: drop: %w: table name: %s", name, ErrInvalidDefinition, wrong)
	}
	err := wire.CheckClient(rdb, name)
	if err == nil {
		err = store.Drop(ctx, rdb, name)
	}
	if err != nil {
		return fmt.Errorf("table %s: drop: %w", name, err)
	}
	return nil
}
