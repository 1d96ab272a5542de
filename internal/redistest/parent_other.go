//go:build !linux

package redistest

import "syscall"

// dieWithParent: only Linux offers it.
func dieWithParent() *syscall.SysProcAttr { return nil }
