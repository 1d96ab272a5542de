package redistest

import (
	"fmt"
	"hash/fnv"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"
)

// The only process-wide state of the house, kept in this file: a test process has one shared server, and names that
// live on it must differ over the whole process.
var (
	shared   sharedServer
	prefixes atomic.Uint64
)

type sharedServer struct {
	mu     sync.Mutex // guards server
	server *Server
}

// Main runs the tests of a package, stops the shared server, then looks for leaked goroutines, but for those that other
// people's code is known to leak. It returns the exit code for os.Exit.
func Main(m *testing.M, known ...goleak.Option) int {
	code := m.Run()
	shared.stop()
	if code != 0 {
		return code // a failed test leaks as a matter of course
	}
	if err := goleak.Find(known...); err != nil {
		fmt.Fprintf(os.Stderr, "redistest: %v\n", err)
		return 1
	}
	return 0
}

// Shared returns the one server of the test process, started on first use and stopped by Main. Tests that share it
// name their tables with Prefix and neither flush, kill nor configure it.
func Shared(t testing.TB) *Server {
	t.Helper()
	s, err := shared.get()
	if err != nil {
		t.Fatalf("redistest: %v", err)
	}
	return s
}

func (s *sharedServer) get() (*Server, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server != nil {
		return s.server, nil
	}
	server, err := start(Options{})
	s.server = server
	return server, err
}

func (s *sharedServer) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server != nil {
		s.server.stop()
		s.server = nil
	}
}

// Prefix returns a table name that no other call in this process returns, of [a-z0-9] only. The hash in it tells
// which test left something behind.
func Prefix(t testing.TB) string {
	h := fnv.New32a()
	h.Write([]byte(t.Name()))
	return fmt.Sprintf("t%06xn%d", h.Sum32()&0xffffff, prefixes.Add(1))
}
