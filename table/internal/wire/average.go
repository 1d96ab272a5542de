package wire

import "sync/atomic"

// Average is a running mean of sizes. From it the sizes of buffers and pages are guessed.
// It is safe for concurrent use; a lost update only makes the next guess a little worse.
type Average struct{ bytes atomic.Int64 }

const firstGuess = 256

// Guess returns the size of the next one.
func (a *Average) Guess() int {
	if n := a.bytes.Load(); n > 0 {
		return int(n)
	}
	return firstGuess
}

// Learn adds the size of n things, which have size bytes together.
func (a *Average) Learn(size, n int) {
	if n == 0 {
		return
	}
	now, news := a.bytes.Load(), int64(size/n+1)
	if now > 0 { // else nothing was learned before
		news = now + (news-now)/4
	}
	a.bytes.Store(max(1, news))
}
