package pgtest

import (
	"os"
	"syscall"
	"time"

	"github.com/tablecache-go/tablecache/internal/process"
)

// endTimeout is for how long a server may take to end itself before it is killed.
const endTimeout = 20 * time.Second

// spawn starts the server program with its output in the log.
func (s *Server) spawn() (*process.Process, error) {
	out, err := os.Create(s.logPath())
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := s.command()
	cmd.Stdout, cmd.Stderr = out, out
	return process.Start(cmd)
}

// end has the server shut down at once, and returns when it has been reaped. It is not killed unless it hangs: a killed one leaves
// a piece of shared memory to the machine.
func end(p *process.Process) {
	p.Signal(syscall.SIGQUIT)
	select {
	case <-p.Exited():
	case <-time.After(endTimeout):
		p.Kill()
	}
}
