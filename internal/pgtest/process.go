package pgtest

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// endTimeout is for how long a server may take to end itself before it is killed.
const endTimeout = 20 * time.Second

// process is a running server program and the goroutine that waits for it.
type process struct {
	pid    int
	handle *os.Process
	exited chan struct{} // closed by run when the process has been reaped
}

// spawn starts the server program with its output in the log.
func (s *Server) spawn() (*process, error) {
	out, err := os.Create(s.logPath())
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := s.command()
	cmd.Stdout, cmd.Stderr = out, out
	p := &process{exited: make(chan struct{})}
	started := make(chan error, 1)
	go p.run(cmd, started)
	return p, <-started
}

// run starts the process and waits for it on one locked thread: the kernel counts as the parent the thread that started the process,
// and one that the Go runtime may retire earlier would take the server with it.
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
		_ = cmd.Wait() // a bad end is how it is meant to end
	}
}

// end has the server shut down at once, and returns when it has been reaped. It is not killed unless it hangs: a killed one leaves
// a piece of shared memory to the machine.
func (p *process) end() {
	_ = p.handle.Signal(syscall.SIGQUIT) // an error means that it is gone already
	select {
	case <-p.exited:
	case <-time.After(endTimeout):
		_ = p.handle.Kill()
		<-p.exited
	}
}

func (p *process) dead() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}
