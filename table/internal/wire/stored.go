package wire

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
)

// Stored returns the schema of a table; an empty one if there is none. ErrLost: the truth is no hash.
func (c *Client) Stored(ctx context.Context) (s layout.Stored, err error) {
	err = c.Retry(ctx, nil, SendAgain, func() error {
		cmd := redis.NewRawCmd(ctx, "hmget", &c.Keys.Truth, layout.SchemaField, layout.BuildingField)
		c.Process(ctx, cmd)
		if err := RawError(cmd); err != nil {
			return err
		}
		r := NewReply(cmd.Val())
		if r.List() != 2 {
			r.Fail()
		}
		s.Text = string(r.Text())
		if building := r.Text(); len(building) > 0 {
			s.Building = r.number(building)
		}
		return r.Err()
	})
	return s, LostToForeignType(err)
}

// StoredSchema returns the schema of a table of which only the name is known. When ctx ends it returns at once; a call that hangs in a
// socket ends by itself later. ErrNoTable: there is none.
func StoredSchema(ctx context.Context, c *Client) (layout.Schema, error) {
	since := time.Now()
	s, err := await(ctx, func() (layout.Stored, error) { return c.Stored(ctx) })
	switch {
	case ctx.Err() != nil:
		return layout.Schema{}, c.EndedWaiting(ctx, since)
	case err != nil:
		return layout.Schema{}, err
	case s.Text == "":
		return layout.Schema{}, ErrNoTable
	}
	return ReadableSchema(c.Keys.Table, s.Text)
}

// ReadableSchema reads the text of a schema. *SchemaError: another version of this library has written it. ErrLost: it is damaged.
func ReadableSchema(table, text string) (layout.Schema, error) {
	if differences, same := layout.CompareVersions(text); !same {
		return layout.Schema{}, &SchemaError{Table: table, Differences: differences}
	}
	s, err := layout.ParseSchema(text)
	if err != nil {
		return s, fmt.Errorf("%w: %w", engine.ErrLost, err)
	}
	return s, nil
}
