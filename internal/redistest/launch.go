package redistest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	host      = "127.0.0.1"
	pollEvery = 2 * time.Millisecond
	maxSocket = 100 // sun_path holds 104 bytes on macOS, 108 on Linux

	// Ports are drawn from below the ephemeral range: there no outgoing connection can take the port of a killed
	// server before its Restart, which happens when the kernel picks it (port 0). The default 6379 is not in it.
	firstPort, lastPort = 10_000, 32_000
)

var (
	errExited   = errors.New("the server exited at once")
	errNotReady = errors.New("not ready")
)

// newHome makes the directory of one server: not t.TempDir, whose path is too long for a socket.
func newHome() (string, error) {
	dir, err := os.MkdirTemp("", "rt")
	if err != nil {
		return "", err
	}
	if len(filepath.Join(dir, "s")) >= maxSocket {
		os.Remove(dir)
		return "", fmt.Errorf("%s is too long for a unix socket: set TMPDIR", dir)
	}
	return dir, nil
}

// launchFirst starts the process; where the caller left the port to us and somebody takes it between our look and
// the server's bind, the server exits and the next port is tried.
func (s *Server) launchFirst(ctx context.Context) error {
	if s.port != 0 {
		return s.launch(ctx)
	}
	for {
		if err := s.drawPorts(ctx); err != nil {
			return err
		}
		if err := s.launch(ctx); err == nil || !s.portTaken() {
			return err
		}
	}
}

func (s *Server) drawPorts(ctx context.Context) (err error) {
	if s.port, err = freePort(ctx); err == nil && s.role == node {
		s.bus, err = freePort(ctx)
	}
	return err
}

// launchAgain insists on the port the server had before.
func (s *Server) launchAgain(ctx context.Context) error {
	for {
		err := s.launch(ctx)
		if err == nil || !s.portTaken() || !pause(ctx) {
			return err
		}
	}
}

// launch starts one process and waits until it answers; it leaves none behind when it fails.
func (s *Server) launch(ctx context.Context) error {
	proc, err := spawn(s.logPath(), s.commandLine())
	if err != nil {
		return err
	}
	s.proc = proc
	if err := s.waitReady(ctx); err != nil {
		proc.Kill()
		return fmt.Errorf("%w; its log:\n%s", err, s.log())
	}
	return nil
}

func (s *Server) commandLine() []string {
	ours := []string{
		"--port", strconv.Itoa(s.port), "--bind", host, "--unixsocket", s.socket,
		"--dir", s.data, "--save", "", "--appendonly", "no", "--daemonize", "no",
	}
	switch s.role {
	case node:
		ours = append(ours, "--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(s.bus))
	case sentinel:
		ours = append([]string{s.sentinelFile()}, append(ours, "--sentinel")...)
	}
	return append(ours, s.args...)
}

func (s *Server) waitReady(ctx context.Context) error {
	for {
		err := s.ping()
		if err == nil {
			return nil
		}
		if s.proc.IsGone() {
			return errExited
		}
		if !pause(ctx) {
			return fmt.Errorf("the server did not answer within %v: %w", startTimeout, err)
		}
	}
}

// ping asks over the socket, which nobody but our process can answer; it is opened after the port. Any answer but
// LOADING will do: a server that wants a password is up.
func (s *Server) ping() error {
	conn, err := net.DialTimeout("unix", s.socket, time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return err
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && strings.HasPrefix(line, "-LOADING") {
		return fmt.Errorf("%w: %s", errNotReady, strings.TrimSpace(line))
	}
	return err
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

func freePort(ctx context.Context) (int, error) {
	for ctx.Err() == nil {
		port := firstPort + rand.IntN(lastPort-firstPort)
		l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if err == nil {
			return port, l.Close()
		}
	}
	return 0, fmt.Errorf("no free port: %w", ctx.Err())
}

func (s *Server) logPath() string { return filepath.Join(s.home, "log") }

// log returns what the last process wrote.
func (s *Server) log() string {
	text, err := os.ReadFile(s.logPath())
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// portTaken reports whether the last process exited because it could not bind.
func (s *Server) portTaken() bool {
	return s.proc != nil && s.proc.IsGone() && strings.Contains(s.log(), "Address already in use")
}
