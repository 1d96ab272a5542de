//go:build unix

package main

import "syscall"

// stop stops the process as if its machine hung, and goOn lets it go on.
func (p *process) stop() error { return p.cmd.Process.Signal(syscall.SIGSTOP) }
func (p *process) goOn() error { return p.cmd.Process.Signal(syscall.SIGCONT) }
