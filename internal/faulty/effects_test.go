//go:build unix

package faulty_test

import (
	"testing"

	"github.com/redis/go-redis/v9"
)

// wantCounted compares how often the table was changed in place, and merged, with how often it must have been: an effect
// that was had twice is counted twice.
func wantCounted(t testing.TB, rdb *redis.Client, name string, changes, merges int) {
	t.Helper()
	var truth struct {
		Changes int `redis:"rver"`
		Merges  int `redis:"gen"`
	}
	ok(t, rdb.HGetAll(t.Context(), name+":m").Scan(&truth))
	if truth.Changes != changes || truth.Merges != merges {
		t.Errorf("changed %d times and merged %d times, want %d and %d", truth.Changes, truth.Merges, changes, merges)
	}
}
