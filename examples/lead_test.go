package examples_test

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/lead"
	"github.com/tablecache-go/tablecache/table"
)

// keepUpToDate is called in every process. In one of them at a time it loads the cities every minute.
func keepUpToDate(ctx context.Context, rdb redis.UniversalClient, load func(context.Context, *table.Table[City, int64]) error) error {
	return lead.Run(ctx, rdb, definition, func(ctx context.Context, cities *table.Table[City, int64]) error {
		for {
			if err := load(ctx, cities); err != nil {
				return err // if ctx has ended another process is the owner, or this one will be again; else it ends Run
			}
			select {
			case <-time.After(time.Minute):
			case <-ctx.Done(): // another owns the table, Redis is away for too long, or the process ends
				return ctx.Err()
			}
		}
	}, lead.WithLease(5*time.Second), lead.WithTable(table.WithWriteThrough()))
}

func Example_lead() {
	rdb, stop := embedded(context.Background())
	defer stop()
	loads := make(chan string)
	process := func(ctx context.Context, name string) (ended chan error) {
		ended = make(chan error, 1)
		go func() {
			ended <- keepUpToDate(ctx, rdb, func(ctx context.Context, cities *table.Table[City, int64]) error {
				loads <- name
				return cities.Put(ctx, City{ID: 1, Name: "Lima", People: 10_092_000})
			})
		}()
		return ended
	}
	first, resign := context.WithCancel(context.Background())
	firstEnded := process(first, "the first process loads")
	fmt.Println(<-loads)
	second, end := context.WithCancel(context.Background())
	secondEnded := process(second, "the second process loads")
	resign()
	<-firstEnded
	fmt.Println(<-loads)
	end()
	<-secondEnded
	// Output:
	// the first process loads
	// the second process loads
}
