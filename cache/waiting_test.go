package cache_test

import (
	"context"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/cache"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// waiting is a hook: a command whose context has a gate passes that first.
type waiting struct{}

type gateKey struct{}

func passGate(ctx context.Context) error {
	if g, is := ctx.Value(gateKey{}).(*gate); is {
		return g.pass(ctx)
	}
	return nil
}

func (waiting) DialHook(next redis.DialHook) redis.DialHook { return next }

func (waiting) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if err := passGate(ctx); err != nil {
			return err
		}
		return next(ctx, cmd)
	}
}

func (waiting) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if err := passGate(ctx); err != nil {
			return err
		}
		return next(ctx, cmds)
	}
}

// reads are ways to read [0, 50): each returns how many records it has seen.
func reads(of covered) map[string]func(context.Context) (int, error) {
	spec := at(from(0, 50))
	return map[string]func(context.Context) (int, error){
		"records": func(ctx context.Context) (int, error) {
			got, err := table.Collect(of.Records(ctx, spec, cache.Fresh()))
			return len(got), err
		},
		"count": func(ctx context.Context) (int, error) { return of.Count(ctx, spec, cache.Fresh()) },
		"first": func(ctx context.Context) (int, error) {
			_, err := of.First(ctx, spec, cache.Fresh())
			return 50, err
		},
	}
}

// U34: a read that has been planned, and comes to Redis when the window has moved, is planned again.
func TestC1_AReadThatWaitsWhileTheWindowMovesIsPlannedAgain(t *testing.T) {
	t.Parallel()
	rdb := redistest.Shared(t).Client(t)
	rdb.AddHook(waiting{})
	def := definition(redistest.Prefix(t))
	tbl, err := table.Open(t.Context(), rdb, def)
	ok(t, err)
	t.Cleanup(func() { tbl.Close() })
	r, err := table.OpenReader(t.Context(), rdb, def)
	ok(t, err)
	t.Cleanup(func() { r.Close() })
	c := newCache(t, tbl, newSource(numbered(0, 100)...))
	ways := map[string]map[string]func(context.Context) (int, error){
		"cache": reads(c), "table": reads(cache.NewView(tbl)), "reader": reads(cache.NewView(r))}
	ways["cache"]["get"] = func(ctx context.Context) (int, error) {
		_, err := c.Get(ctx, 5, cache.Fresh())
		return 50, err
	}
	for of, verbs := range ways {
		for verb, read := range verbs {
			ok(t, c.Cover(t.Context(), "at", everything))
			ok(t, r.WaitFor(t.Context(), tbl.Position()))
			if n, err := read(t.Context()); n != 50 || err != nil { // so that a view knows the note
				t.Errorf("%s of a %s: %d records, %v", verb, of, n, err)
			}
			g := newGate()
			answer := async(t, func() error {
				n, err := read(context.WithValue(t.Context(), gateKey{}, g))
				if err == nil {
					t.Errorf("%s of a %s: %d records", verb, of, n)
				}
				return err
			})
			receive(t, g.reached)
			ok(t, c.Cover(t.Context(), "at", from(40, 90)))
			close(g.opened)
			wantErr(t, receive(t, answer), cache.ErrNotCovered)
		}
	}
}
