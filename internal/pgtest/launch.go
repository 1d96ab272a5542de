package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const pollEvery = 2 * time.Millisecond

var errExited = errors.New("the server exited at once")

func (s *Server) data() string { return filepath.Join(s.home, "data") }

func (s *Server) logPath() string { return filepath.Join(s.home, "log") }

// makeCluster makes the data directory.
func (s *Server) makeCluster(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, "initdb"), "--pgdata", s.data(), "--username", "postgres",
		"--auth", "trust", "--encoding", "UTF8", "--no-locale", "--no-sync", "--no-instructions")
	cmd.Dir, cmd.SysProcAttr = s.home, s.as.attributes()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

// launch starts one process and waits until it takes connections; it leaves none behind when it fails.
func (s *Server) launch(ctx context.Context) error {
	proc, err := s.spawn()
	if err != nil {
		return err
	}
	s.proc = proc
	if err := s.waitReady(ctx); err != nil {
		end(proc)
		text, _ := os.ReadFile(s.logPath())
		return fmt.Errorf("%w; its log:\n%s", err, text)
	}
	return nil
}

func (s *Server) command() *exec.Cmd {
	settings := []string{
		"listen_addresses=", "unix_socket_directories=" + s.home, "fsync=off", "full_page_writes=off",
		"shared_buffers=32MB", "max_connections=200",
	}
	args := []string{"-D", s.data()}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	cmd := exec.Command(filepath.Join(s.bin, "postgres"), args...)
	cmd.Dir, cmd.SysProcAttr = s.home, s.as.attributes()
	return cmd
}

func (s *Server) waitReady(ctx context.Context) error {
	for !s.ready() {
		if s.proc.IsGone() {
			return errExited
		}
		if !pause(ctx) {
			return fmt.Errorf("the server was not ready: %w", ctx.Err())
		}
	}
	return nil
}

// pause waits a moment and reports whether ctx is still good.
func pause(ctx context.Context) bool {
	select {
	case <-time.After(pollEvery):
		return true
	case <-ctx.Done():
		return false
	}
}

// ready reads what the server says of itself in its pid file: the pid in the first line, its state in the eighth. A file that a
// former process has left does not count.
func (s *Server) ready() bool {
	text, err := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
	lines := strings.Split(string(text), "\n")
	return err == nil && len(lines) >= 8 && lines[0] == strconv.Itoa(s.proc.PID) && strings.TrimSpace(lines[7]) == "ready"
}
