package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
)

// asProgram is set in the environment of the fleet's processes. A test binary that finds it is this program, and runs no tests.
const asProgram = "TABLECACHE_EXAMPLE_FLEET"

// process is a replica in a process of its own: this program in another role.
type process struct {
	cmd   *exec.Cmd
	input io.Closer // its standard input: it ends with that
	said  *firstLine
	done  chan struct{} // closed when the process has ended
	err   error         // how it has ended; to be read after done
}

// startProcess starts one. It ends when its standard input does, and so with this process in any case.
func startProcess(flags []string, diag io.Writer) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{
		cmd: exec.Command(self, append([]string{"-role", string(asReplica)}, flags...)...), said: newFirstLine(), done: make(chan struct{}),
	}
	p.cmd.Env = append(os.Environ(), asProgram+"=1")
	p.cmd.Stdout, p.cmd.Stderr = p.said, diag
	if p.input, err = p.cmd.StdinPipe(); err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("cannot start a replica: %w", err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// shared is a writer to which several processes write.
type shared struct {
	mu sync.Mutex // guards w
	w  io.Writer
}

func (s *shared) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(b)
}

// end lets the process finish what it does, and waits for its end.
func (p *process) end() error {
	_ = p.input.Close() // it may have ended
	<-p.done
	return p.err
}

// kill kills the process with SIGKILL, and waits for its end.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.done
}

// check returns an error if the process has ended, which nobody has told it to.
func (p *process) check() error {
	select {
	case <-p.done:
		return p.hasEnded()
	default:
		return nil
	}
}

// hasEnded says how the process has ended.
func (p *process) hasEnded() error {
	if p.err != nil {
		return fmt.Errorf("a replica has ended by itself: %w", p.err)
	}
	return errors.New("a replica has ended by itself")
}

// whileFed returns a context that ends with the standard input of this process.
func whileFed(ctx context.Context, in io.Reader) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, in) // however it ends
		cancel()
	}()
	return ctx, cancel
}

// ready waits for the first line that the process prints, which it does when it is ready, and returns it.
func (p *process) ready(ctx context.Context) (string, error) {
	select {
	case line := <-p.said.line:
		return line, nil
	case <-p.done:
		return "", p.hasEnded()
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// firstLine hands over the first line that is written to it.
type firstLine struct {
	begun []byte
	line  chan string // holds one
}

func newFirstLine() *firstLine { return &firstLine{line: make(chan string, 1)} }

func (f *firstLine) Write(b []byte) (int, error) {
	f.begun = append(f.begun, b...)
	if line, _, whole := strings.Cut(string(f.begun), "\n"); whole {
		select {
		case f.line <- line:
		default: // that was not the first one
		}
	}
	return len(b), nil
}
