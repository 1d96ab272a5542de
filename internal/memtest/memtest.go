// Package memtest tells how much memory a call takes, for tests.
package memtest

import (
	"math"
	"runtime"
	"testing"
)

// WantBounded fails when a call allocates more than so many bytes and a little. Others allocate meanwhile: too much is
// measured again before it counts.
func WantBounded(t *testing.T, what string, limit int, call func()) {
	t.Helper()
	const slack = 4 << 10
	least := uint64(math.MaxUint64)
	for range 5 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		call()
		runtime.ReadMemStats(&after)
		if least = min(least, after.TotalAlloc-before.TotalAlloc); least <= uint64(limit)+slack {
			return
		}
	}
	t.Errorf("%s took %d bytes, more than %d", what, least, limit)
}
