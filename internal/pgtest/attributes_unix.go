//go:build unix && !linux

package pgtest

import "syscall"

// attributes has the program run as the account. Only Linux ends it with us.
func (a *account) attributes() *syscall.SysProcAttr {
	if a == nil {
		return nil
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}}
}
