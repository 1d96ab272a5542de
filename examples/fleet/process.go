package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// process is another process of the fleet: this program in another role.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
}

// startProcess starts one. Its standard output goes to out.
func startProcess(r role, redisURL string, out, diag io.Writer) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.Command(self, "-role", string(r), "-redis", redisURL), done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), asProgram+"=1")
	p.cmd.Stdout, p.cmd.Stderr = out, diag
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the %s: %w", r, err)
	}
	go func() {
		_ = p.cmd.Wait() // it is killed in the end
		close(p.done)
	}()
	return p, nil
}

// asProgram is set in the environment of the fleet's processes. A test binary that finds it is this program, and runs no tests.
const asProgram = "TABLECACHE_EXAMPLE_FLEET"

// kill kills the process with SIGKILL, and waits for its end.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.done
}

// startReader starts a reader, and returns its URL when it serves.
func startReader(ctx context.Context, redisURL string, diag io.Writer) (*process, string, error) {
	in, out := io.Pipe()
	p, err := startProcess(reader, redisURL, out, diag)
	if err != nil {
		return nil, "", err
	}
	go func() {
		<-p.done
		_ = out.Close() // then whoever waits for the address is told
	}()
	address := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(in).ReadString('\n')
		address <- strings.TrimSpace(line)
	}()
	select {
	case a := <-address:
		if a != "" {
			return p, "http://" + a, nil
		}
		err = fmt.Errorf("the reader has ended")
	case <-ctx.Done():
		err = ctx.Err()
	}
	p.kill()
	return nil, "", err
}
