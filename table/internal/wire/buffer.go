package wire

import (
	"bytes"
	"context"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// BufferedCmd reads the raw answer to a script into a buffer that is about large enough from the start. A redis.RawCmd starts with an
// empty buffer and copies about four times as much as it reads.
type BufferedCmd struct {
	*redis.RawWriteToCmd
	into *replyBuffer
}

// mostLikely bounds the memory that is allocated for an answer before it comes.
const mostLikely = 64 << 10

// NewBufferedCmd returns a command whose answer is likely to have so many bytes.
func NewBufferedCmd(ctx context.Context, likely int, args []any) BufferedCmd {
	into := new(replyBuffer)
	into.Grow(min(likely+likely/4, mostLikely) + bytes.MinRead) // most answers fit
	return BufferedCmd{redis.NewRawWriteToCmd(ctx, into, args...), into}
}

// Failure returns why there is no answer, be it the server that says so.
func (c BufferedCmd) Failure() error { return rawError(c.Val(), c.Err(), c.RawWriteToCmd.Args()) }

// Val returns the answer.
func (c BufferedCmd) Val() []byte { return c.into.Bytes() }

// Args is called by go-redis before each attempt, and by hooks at any time. It notes that the next answer replaces what an earlier attempt
// has left behind.
func (c BufferedCmd) Args() []any {
	c.into.over.Store(true)
	return c.RawWriteToCmd.Args()
}

// NoRetry returns false, so that go-redis may send the command again although it writes the answer to a buffer: see Args.
func (c BufferedCmd) NoRetry() bool { return false }

// replyBuffer is an io.Writer of one answer.
type replyBuffer struct {
	bytes.Buffer
	over atomic.Bool // the next bytes belong to another answer
}

// Write appends a part of an answer. go-redis writes the first line of an answer by it, and lets the buffer read longer parts itself.
func (b *replyBuffer) Write(p []byte) (int, error) {
	if b.over.Swap(false) {
		b.Reset()
	}
	return b.Buffer.Write(p)
}
