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
func StoredSchema(ctx context.Context, rdb redis.UniversalClient, name string) (schema string, err error) {
	c := NewClient(rdb, layout.KeysOf(name, nil), "", nil)
	type answer struct {
		schema string
		err    error
	}
	answered, since := make(chan answer, 1), time.Now()
	go func() {
		var a answer
		a.err = c.Retry(ctx, nil, SendAgain, func() error {
			cmd := redis.NewStringCmd(ctx, "hget", &c.Keys.Truth, layout.SchemaField)
			c.Process(ctx, cmd)
			a.schema = cmd.Val()
			return cmd.Err()
		})
		answered <- a
	}()
	select {
	case a := <-answered:
		if errors.Is(a.err, redis.Nil) {
			return "", ErrNoTable
		}
		return a.schema, LostToForeignType(a.err)
	case <-ctx.Done():
		return "", c.EndedWaiting(ctx, since)
	}
}
