package redistest

import (
	"testing"

	"github.com/redis/go-redis/v9"
)

func TestStartClusterServesAllSlots(t *testing.T) {
	t.Parallel()
	c := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{StartCluster(t).Addr()}})
	t.Cleanup(func() { c.Close() })
	for _, key := range []string{"a", "b", "{tag}c"} {
		if err := c.Set(t.Context(), key, "v", 0).Err(); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
}
