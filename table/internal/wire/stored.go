package wire

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/table/internal/layout"
)

// StoredSchema returns the schema of a table of which only the name is known. When ctx ends it returns at once; a call that hangs in a
// socket ends by itself later. ErrNoTable: there is none.
func StoredSchema(ctx context.Context, rdb redis.UniversalClient, name string) (string, error) {
	c, since := NewClient(rdb, layout.KeysOf(name, nil), "", nil), time.Now()
	schema, err := await(ctx, func() (schema string, err error) {
		err = c.Retry(ctx, nil, SendAgain, func() error {
			cmd := redis.NewStringCmd(ctx, "hget", &c.Keys.Truth, layout.SchemaField)
			c.Process(ctx, cmd)
			schema = cmd.Val()
			return cmd.Err()
		})
		return schema, err
	})
	switch {
	case ctx.Err() != nil:
		return "", c.EndedWaiting(ctx, since)
	case errors.Is(err, redis.Nil):
		return "", ErrNoTable
	}
	return schema, LostToForeignType(err)
}
