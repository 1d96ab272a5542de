package redistest

import (
	"context"
	"fmt"
	"testing"

	"github.com/redis/go-redis/v9"
)

// StartCluster starts a server that is a whole Redis Cluster: the one node has all slots. It takes two seconds, for which
// a node waits before it serves.
func StartCluster(t testing.TB) *Server {
	t.Helper()
	s := Start(t, Options{Args: []string{"--cluster-enabled", "yes"}})
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	if err := s.takeAllSlots(ctx); err != nil {
		t.Fatalf("redistest: cluster: %v", err)
	}
	return s
}

func (s *Server) takeAllSlots(ctx context.Context) error {
	rdb := redis.NewClient(&redis.Options{Network: "unix", Addr: s.socket})
	defer rdb.Close()
	if err := rdb.ClusterAddSlotsRange(ctx, 0, 16383).Err(); err != nil {
		return err
	}
	for {
		err := rdb.Exists(ctx, "any").Err()
		if err == nil {
			return nil
		}
		if !pause(ctx) {
			return fmt.Errorf("%w: %w", errNotReady, err)
		}
	}
}
