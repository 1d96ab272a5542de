package pgtest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tablecache-go/tablecache/internal/process"
)

// startTimeout bounds a start, and the making of a cluster or a database.
const startTimeout = time.Minute

// Server is one PostgreSQL server with a cluster of its own. Its methods may be called from several goroutines.
type Server struct {
	bin     string   // where the programs are
	home    string   // socket, log and data; removed by Stop
	as      *account // nil: whoever we are
	serial  atomic.Int64
	restart sync.Mutex       // guards proc, held while a process is started or ended
	proc    *process.Process // never nil once launch has succeeded; it may be dead
}

// Start starts a server and stops it when the test ends. The test fails if a program is missing or the server does not answer within
// a minute.
func Start(t testing.TB) *Server {
	t.Helper()
	s, err := Launch()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// Launch starts a server for a TestMain, or for a program that is no test, which ends it with Stop.
func Launch() (*Server, error) {
	s, err := newServer()
	if err != nil {
		return nil, fmt.Errorf("pgtest: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err = s.makeCluster(ctx); err == nil {
		err = s.launch(ctx)
	}
	if err != nil {
		os.RemoveAll(s.home)
		return nil, fmt.Errorf("pgtest: %w", err)
	}
	return s, nil
}

// newServer makes the directory of a server: not t.TempDir, whose path is too long for a socket.
func newServer() (*Server, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	as, err := servant()
	if err != nil {
		return nil, err
	}
	home, err := os.MkdirTemp("", "pg")
	if err != nil {
		return nil, err
	}
	if err := as.own(home); err != nil {
		os.RemoveAll(home)
		return nil, err
	}
	return &Server{bin: bin, home: home, as: as}, nil
}

// URL returns the address of the database postgres, for its superuser: a connection string as pgx, lib/pq and psql take it. It stays the
// same over a Restart.
func (s *Server) URL() string { return s.url("postgres") }

func (s *Server) url(database string) string {
	return "postgres://postgres@/" + database + "?host=" + url.QueryEscape(s.home) + "&sslmode=disable"
}

// Database makes an empty database that no other call returns, and returns its address. It goes with the server.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	name := fmt.Sprintf("test%d", s.serial.Add(1))
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, "createdb"), "--host", s.home, "--username", "postgres", name)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("pgtest: createdb: %v\n%s", err, out)
	}
	return s.url(name)
}

// Kill ends the server at once, as a crash would, and returns when it is gone. Killing a dead server does nothing.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	s.restart.Lock()
	defer s.restart.Unlock()
	end(s.proc)
}

// Restart starts the server again, with its data and the address it had; one that still runs is killed first. It returns when the server
// takes connections.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.restart.Lock()
	defer s.restart.Unlock()
	end(s.proc)
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	if err := s.launch(ctx); err != nil {
		t.Fatalf("pgtest: restart: %v", err)
	}
}

// Stop ends the server and removes its files.
func (s *Server) Stop() {
	s.restart.Lock()
	defer s.restart.Unlock()
	end(s.proc)
	os.RemoveAll(s.home)
}
