// Package process runs a program that a test needs, and waits for its end in a goroutine of its own.
package process

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// Process is a program that was started, and the goroutine that waits for its end. Its methods are safe for concurrent use.
type Process struct {
	PID    int
	handle *os.Process
	exited chan struct{} // closed by run when the process has been reaped
}

// Start starts a command. It ends when its own time has come, and not with anything of the caller's, unless the command's SysProcAttr has
// the kernel end it with the thread that has started it: with the caller's process, that is.
func Start(cmd *exec.Cmd) (*Process, error) {
	p := &Process{exited: make(chan struct{})}
	started := make(chan error, 1)
	go p.run(cmd, started)
	return p, <-started
}

// run starts the process and waits for it on one locked thread: the kernel counts as the parent the thread that started the process, not the
// whole program, and a thread that the Go runtime may retire earlier would take the process with it.
func (p *Process) run(cmd *exec.Cmd, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(p.exited)
	err := cmd.Start()
	if err == nil {
		p.PID, p.handle = cmd.Process.Pid, cmd.Process
	}
	started <- err
	if err == nil {
		_ = cmd.Wait() // a bad end is how it is meant to end
	}
}

// Signal sends a signal; one that is gone gets none.
func (p *Process) Signal(s os.Signal) { _ = p.handle.Signal(s) }

// Kill ends the process, even a stopped one, and returns when it has been reaped.
func (p *Process) Kill() {
	p.Signal(syscall.SIGKILL)
	<-p.exited
}

// Exited returns a channel that is closed when the process has been reaped.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// IsGone tells whether it has been reaped.
func (p *Process) IsGone() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}
