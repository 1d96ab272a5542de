package table_test

import (
	"context"
	"errors"
	"testing"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// ends are what may happen while writes fail again and again without ever leaving this process, and what their callers hear then.
var ends = map[string]struct {
	come func(t *testing.T, s *redistest.Server, client *redis.Client, tbl *items, cancel func())
	want error
}{
	"closed":          {func(t *testing.T, _ *redistest.Server, _ *redis.Client, tbl *items, _ func()) { ok(t, tbl.Close()) }, table.ErrClosed},
	"a closed client": {func(t *testing.T, _ *redistest.Server, c *redis.Client, _ *items, _ func()) { ok(t, c.Close()) }, redis.ErrClosed},
	"fenced": {func(t *testing.T, s *redistest.Server, _ *redis.Client, tbl *items, _ func()) {
		openUnwalked(t, s.Client(t), tbl.Name())
	}, table.ErrFenced},
	"lost": {func(t *testing.T, s *redistest.Server, _ *redis.Client, _ *items, _ func()) {
		ok(t, s.Client(t).FlushAll(t.Context()).Err())
	}, table.ErrLost},
	"left": {func(_ *testing.T, _ *redistest.Server, _ *redis.Client, _ *items, cancel func()) { cancel() }, context.Canceled},
	"cleared, then left": {func(t *testing.T, _ *redistest.Server, _ *redis.Client, tbl *items, cancel func()) {
		ok(t, tbl.Clear(t.Context()))
		cancel()
	}, context.Canceled},
}

func TestP2_P7_WritesThatFailHearOfTheEnd(t *testing.T) {
	t.Parallel()
	for end, e := range ends {
		for kind, write := range map[string]func(context.Context, *items, ...item) error{
			"put":   func(ctx context.Context, tbl *items, r ...item) error { return tbl.Put(ctx, r...) },
			"stage": func(ctx context.Context, tbl *items, r ...item) error { return tbl.ScratchPut(ctx, r...) },
		} {
			t.Run(end+", "+kind, func(t *testing.T) {
				t.Parallel()
				s, name := redistest.Start(t, redistest.Options{}), redistest.Prefix(t)
				client := s.TCPClient(t, nil)
				client.AddHook(&bouncer{refusal: errByHook})
				core, logs := observer.New(zap.WarnLevel)
				tbl, err := table.Open(t.Context(), struct{ redis.UniversalClient }{client}, itemDefinition(name),
					table.WithTries(1_000_000), table.WithLogger(zap.New(core)))
				ok(t, err)
				defer tbl.Close()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				failing := []<-chan error{async(t, func() error { return write(ctx, tbl, large(98, 2<<20)) }),
					async(t, func() error { return write(ctx, tbl, large(99, 2<<20)) })}
				until(t, "both to fail, while others pass", func() bool {
					ok(t, write(t.Context(), tbl, numbered(1, 2)...))
					return logs.FilterMessage("an effect was refused").Len() > 5
				})
				e.come(t, s, client, tbl, cancel)
				for _, f := range failing {
					err := receive(t, "a write that fails", f)
					if !errors.Is(err, e.want) || errors.Is(err, table.ErrUnknownOutcome) {
						t.Errorf("got %v, want %v", err, e.want)
					}
					if e.want == context.Canceled && !errors.As(err, new(*table.WaitError)) {
						t.Errorf("got %v, want why it waited", err)
					}
					saysOnce(t, end, name, err)
				}
			})
		}
	}
}
