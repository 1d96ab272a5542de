package redistest

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// process is a running server program and the goroutine that waits for it.
type process struct {
	pid    int
	handle *os.Process
	exited chan struct{} // closed by run when the process has been reaped
}

// spawn starts the server program with its output in the file log.
func spawn(log string, args []string) (*process, error) {
	path, err := serverProgram()
	if err != nil {
		return nil, err
	}
	out, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := exec.Command(path, args...)
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = out, out, dieWithParent()
	p := &process{exited: make(chan struct{})}
	started := make(chan error, 1)
	go p.run(cmd, started)
	return p, <-started
}

// serverProgram returns the path of the server program: what REDIS_SERVER names, else the redis-server in PATH.
func serverProgram() (string, error) {
	if named := os.Getenv("REDIS_SERVER"); named != "" {
		path, err := exec.LookPath(named)
		if err != nil {
			return "", fmt.Errorf("REDIS_SERVER: %w", err)
		}
		return path, nil
	}
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return "", fmt.Errorf("%w (make install-redis)", err)
	}
	return path, nil
}

// run starts the process and waits for it on one locked thread: the kernel counts as the parent the thread that
// started the process, not the whole program, and a thread the Go runtime may retire earlier would take the server
// with it.
func (p *process) run(cmd *exec.Cmd, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(p.exited)
	err := cmd.Start()
	if err == nil {
		p.pid, p.handle = cmd.Process.Pid, cmd.Process
	}
	started <- err
	if err == nil {
		_ = cmd.Wait() // killed is how it is meant to end
	}
}

// kill ends the process, even a stopped one, and returns when it has been reaped.
func (p *process) kill() {
	_ = p.handle.Signal(syscall.SIGKILL) // an error means that it is gone already
	<-p.exited
}

func (p *process) dead() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}
