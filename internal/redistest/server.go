package redistest

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/process"
)

// startTimeout bounds a start: reading back a data directory included.
const startTimeout = 10 * time.Second

// Options change how a server is started. The zero value: a unix socket and a free TCP port on 127.0.0.1, no
// persistence, in a temporary directory.
type Options struct {
	Args []string // more arguments of the server, e.g. "--appendonly", "yes"; they win over ours
	Dir  string   // data directory to reuse, left in place afterwards; empty: a new temporary one
	Port int      // TCP port; 0: a free one
}

// role is what a server is for.
type role int

const (
	alone    role = iota // or a primary or a replica
	node                 // of a cluster
	sentinel             // it watches other servers
)

// Server is one server process. Its methods may be called from several goroutines.
type Server struct {
	home   string // ours, removed at the end: socket, log, and the data when Options.Dir is empty
	data   string
	socket string
	port   int
	bus    int // a node's port for the other nodes
	role   role
	args   []string

	mu   sync.Mutex       // guards proc, held while a process is started or killed
	proc *process.Process // never nil once start has succeeded; it may be dead
}

// Start starts a server and stops it when the test ends. The test fails if the program is missing or does not answer
// within 10 seconds.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	s, err := start(o)
	if err != nil {
		t.Fatalf("redistest: %v", err)
	}
	t.Cleanup(s.stop)
	return s
}

func start(o Options) (*Server, error) { return startAs(alone, o) }

func startAs(r role, o Options) (*Server, error) {
	home, err := newHome()
	if err != nil {
		return nil, err
	}
	s := &Server{home: home, data: o.Dir, socket: filepath.Join(home, "s"), port: o.Port, role: r, args: o.Args}
	if s.data == "" {
		s.data = home
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err := s.launchFirst(ctx); err != nil {
		os.RemoveAll(home)
		return nil, err
	}
	return s, nil
}

// stop kills the server and removes its files. Options.Dir stays.
func (s *Server) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.proc.Kill()
	os.RemoveAll(s.home)
}

// Addr returns host:port of the TCP listener. It stays the same over a Restart.
func (s *Server) Addr() string { return net.JoinHostPort(host, strconv.Itoa(s.port)) }

// Socket returns the path of the unix socket, shorter than 100 characters. It stays the same over a Restart.
func (s *Server) Socket() string { return s.socket }

// PID returns the process id of the running server, or of the last one if it was killed.
func (s *Server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.proc.PID
}

// Kill sends SIGKILL and returns when the process is gone. Killing a dead server does nothing.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.proc.Kill()
}

// Restart starts the server again, with the port, socket, directory and arguments it had; one that still runs is
// killed first. It returns when the server answers PING and has finished loading.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.proc.Kill()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err := s.launchAgain(ctx); err != nil {
		t.Fatalf("redistest: restart: %v", err)
	}
}

// Client returns a client over the unix socket, closed when the test ends.
func (s *Server) Client(t testing.TB) *redis.Client {
	t.Helper()
	return closing(t, &redis.Options{Network: "unix", Addr: s.socket, ReadTimeout: 5 * time.Second})
}

// TCPClient returns a client over TCP, closed when the test ends. mod may change its options first, and may be nil.
func (s *Server) TCPClient(t testing.TB, mod func(*redis.Options)) *redis.Client {
	t.Helper()
	o := &redis.Options{Addr: s.Addr(), ReadTimeout: 5 * time.Second}
	if mod != nil {
		mod(o)
	}
	return closing(t, o)
}

func closing(t testing.TB, o *redis.Options) *redis.Client {
	c := redis.NewClient(o)
	t.Cleanup(func() { c.Close() }) // the test may have closed it already
	return c
}
