//go:build !unix

package pgtest

import "syscall"

// attributes: there is nobody else to run the program as.
func (a *account) attributes() *syscall.SysProcAttr { return nil }
