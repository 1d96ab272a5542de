package table_test

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// A session and its calls have one context, as a rule, which may well end while Redis is away.
func TestW2_TheHoldersContextEndsWhileRedisIsAway(t *testing.T) {
	t.Parallel()
	for what, call := range map[string]func(context.Context, *scratch) error{
		"put":   func(ctx context.Context, s *scratch) error { return s.Put(ctx, numbered(20, 30)...) },
		"merge": func(ctx context.Context, s *scratch) error { return s.Merge(ctx, []byte("n")) },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			n, tried := newNetwork(), make(chan struct{}, 1)
			rdb := redistest.Start(t, redistest.Options{}).TCPClient(t, n.options)
			tbl := openOn(t, rdb, "t")
			ctx, leave := context.WithCancel(t.Context())
			s, err := tbl.Scratch(ctx)
			ok(t, err)
			ok(t, s.Put(ctx, numbered(0, 10)...))
			n.hang(t, func(context.Context, <-chan struct{}) error {
				select {
				case tried <- struct{}{}:
				default:
				}
				return net.ErrClosed
			})
			n.cut()
			done := make(chan error)
			go func() { done <- call(ctx, s) }()
			<-tried
			leave()
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
			n.hanging.Store(nil)
			put(t, tbl, numbered(40, 50)...)
			wantOver(t, s, table.ErrScratchAborted)
			wantProblems(t, tbl)
		})
	}
}
