package delay

import (
	"syscall"
	"time"
)

// sleep asks the kernel: the Go runtime, when idle, rounds a pause up to a millisecond.
func sleep(d time.Duration) {
	if d > 0 {
		t := syscall.NsecToTimespec(int64(d))
		_ = syscall.Nanosleep(&t, nil) // when it is interrupted an answer comes a little earlier
	}
}
