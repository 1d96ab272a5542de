package table

import "sync/atomic"

// average is the size of rows seen lately, from which buffers and pages are guessed.
// It is safe for concurrent use; a lost update only makes the next guess a little worse.
type average struct{ bytes atomic.Int64 }

const firstGuess = 256

func (a *average) guess() int {
	if n := a.bytes.Load(); n > 0 {
		return int(n)
	}
	return firstGuess
}

// learn is told that n rows took size bytes.
func (a *average) learn(size, n int) {
	if n == 0 {
		return
	}
	now, seen := int64(a.guess()), int64(size/n+1)
	a.bytes.Store(max(1, now+(seen-now)/4))
}
