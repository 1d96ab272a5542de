package table_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// A write whose caller leaves while a dial hangs, or while it waits for a connection of the pool, has not left: the outcome is known,
// and it is not applied later.
func TestP9_WhatHasNotLeftNeverDoes(t *testing.T) {
	t.Parallel()
	for what, block := range map[string]func(*testing.T, *redistest.Server, *network, *redis.Client, string) (free func()){
		"a dial that hangs": cutAndHang, "a pool without a place": takeThePlace,
	} {
		for verb, m := range mutations() {
			t.Run(what+", "+verb, func(t *testing.T) {
				t.Parallel()
				s, n, name := redistest.Start(t, redistest.Options{}), newNetwork(), redistest.Prefix(t)
				client := s.TCPClient(t, func(o *redis.Options) {
					n.options(o)
					o.DialTimeout, o.PoolSize, o.PipelinePoolSize, o.PoolTimeout = time.Minute, 1, -1, time.Minute
				})
				tbl := openAs(t, struct{ redis.UniversalClient }{client}, s.Client(t), itemDefinition(name), []string{"at", "rank"})
				put(t, tbl, numbered(0, 10)...)
				if m.staged {
					stageSome(t, tbl)
				}
				free := block(t, s, n, client, name)
				err := within(t, 100*time.Millisecond, func(ctx context.Context) error { return m.do(ctx, tbl) })
				wantWait(t, verb, err, table.WaitRedis, nil)
				if errors.Is(err, table.ErrUnknownOutcome) {
					t.Errorf("got %v, want to know that nothing was sent", err)
				}
				free()
				_, err = tbl.Count(t.Context(), tbl.All("at"))
				ok(t, err)
				ok(t, tbl.ScratchPut(t.Context(), numbered(70, 71)...))
				ok(t, tbl.ScratchAbort(t.Context()))
				wantIDs(t, tbl, tbl.All("at"), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
			})
		}
	}
}

// cutAndHang cuts a client's connections, and lets its dials hang until it is free.
func cutAndHang(_ *testing.T, _ *redistest.Server, n *network, _ *redis.Client, _ string) (free func()) {
	end := make(chan struct{})
	h := hang(func(ctx context.Context, _ <-chan struct{}) error {
		select {
		case <-end:
			return errors.New("at last")
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	n.hanging.Store(&h)
	n.cut()
	return func() {
		n.hanging.Store(nil)
		close(end)
	}
}

// takeThePlace takes the only connection of a client's pool.
func takeThePlace(t *testing.T, s *redistest.Server, _ *network, client *redis.Client, name string) (free func()) {
	until(t, "the connection to be free", func() bool { return client.PoolStats().IdleConns == 1 })
	taken := async(t, func() error { return client.BLPop(t.Context(), 0, name+":nothing").Err() })
	until(t, "the connection to be taken", func() bool { return client.PoolStats().IdleConns == 0 })
	return func() {
		ok(t, s.Client(t).LPush(t.Context(), name+":nothing", 1).Err())
		ok(t, receive(t, "the connection", taken))
	}
}
