package redistest

import "syscall"

// dieWithParent has the kernel kill the server when the thread that started it ends: see process.Start.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
