package examples_test

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/table"
)

type City struct {
	ID     int64
	Name   string
	People int32
}

var definition = table.Definition[City, int64]{
	Name:       "cities", // its keys in Redis start with this
	PrimaryKey: table.Key(codec.Int64, func(c *City) int64 { return c.ID }),
	Attributes: []table.Attribute[City]{
		table.Field("id", codec.Int64, func(c *City) *int64 { return &c.ID }),
		table.Field("name", codec.String, func(c *City) *string { return &c.Name }),
		table.Field("people", codec.Int32, func(c *City) *int32 { return &c.People }),
	},
	Indexes: []table.Index[City]{
		table.By("people", func(c *City) float64 { return float64(c.People) }),
	},
}

func largest(ctx context.Context, rdb redis.UniversalClient) error {
	cities, err := table.Open(ctx, rdb, definition)
	if err != nil {
		return err
	}
	defer cities.Close()
	if err := cities.Put(ctx, City{1, "Oslo", 717_000}, City{2, "Lima", 10_092_000}, City{3, "Rome", 2_749_000}); err != nil {
		return err
	}
	for c, err := range cities.Records(ctx, cities.Range("people", 1e6, 1e9).Reversed().Max(10)) {
		if err != nil {
			return err
		}
		fmt.Println(c.Name, c.People)
	}
	return nil
}
