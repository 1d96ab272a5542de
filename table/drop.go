package table

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/store"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// Drop removes the table of this name, in one step, with all that is staged and whoever owns it: from then
// on the owner's writes and reads are ErrLost, or ErrFenced once somebody has opened the table anew. It
// waits for Redis until ctx ends. rdb is subject to the same conditions as for Open.
//
// It fails with ErrNoTable where there is none, with ErrInvalidDefinition, ErrUnsafeClient, with ErrFenced
// when somebody has opened the table while it was being dropped (drop it again if that is meant), or with
// what Redis says. A table that is damaged is dropped too, as long as its stored schema can be read, which
// names its indexes; else it is ErrLost, and Open with WithReset is what removes it. A failing Drop changes
// nothing, except that it may have dropped the table where its error Is ErrUnknownOutcome.
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
