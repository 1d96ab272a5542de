package redistest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// Deafen has the server's replicas hear nothing more of it: their connections are ended, and new ones refused. What it acknowledges
// from then on is lost when it dies.
func (s *Server) Deafen(t testing.TB) {
	t.Helper()
	rdb := s.Client(t)
	for _, command := range [][]any{{"acl", "setuser", "default", "-psync", "-sync"}, {"client", "kill", "type", "replica"}} {
		if err := rdb.Do(t.Context(), command...).Err(); err != nil {
			t.Fatalf("redistest: %v: %v", command, err)
		}
	}
}

// WaitReplicas waits until so many replicas have all that the server has acknowledged.
func (s *Server) WaitReplicas(t testing.TB, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), formTimeout)
	defer cancel()
	conn := s.Client(t).Conn()
	defer conn.Close()
	if err := eventually(ctx, func() error { return replicated(ctx, conn, n) }); err != nil {
		t.Fatalf("redistest: %v", err)
	}
}

// replicated asks whether so many replicas have acknowledged all. WAIT looks at what was there after the connection's command before.
func replicated(ctx context.Context, conn *redis.Conn, n int) error {
	if err := conn.Ping(ctx).Err(); err != nil {
		return err
	}
	level, err := conn.Wait(ctx, n, time.Second).Result()
	if err == nil && level < int64(n) {
		return fmt.Errorf("%w: %d of %d replicas have all of it", errNotReady, level, n)
	}
	return err
}

func (s *Server) alive() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.proc.IsGone()
}

// isPrimary tells whether the server calls itself a primary.
func (s *Server) isPrimary(ctx context.Context) error {
	rdb := redis.NewClient(&redis.Options{Network: "unix", Addr: s.socket})
	defer rdb.Close()
	role, err := rdb.Do(ctx, "role").Slice()
	if err == nil && role[0] != "master" {
		return fmt.Errorf("%w: it is a %v", errNotReady, role[0])
	}
	return err
}
