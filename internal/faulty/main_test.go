//go:build unix

package faulty_test

import (
	"flag"
	"os"
	"testing"

	"github.com/tablecache-go/tablecache/internal/faulty"
	"github.com/tablecache-go/tablecache/internal/redistest"
)

// times makes the tests that repeat do so more often.
var times = flag.Int("faulty.times", 1, "how often, compared with a usual run, repeated faults are repeated")

func TestMain(m *testing.M) {
	faulty.Main(map[string]faulty.Role{"writer": writer, "opener": opener, "zombie": zombie, "tenant": tenant})
	os.Exit(redistest.Main(m))
}
