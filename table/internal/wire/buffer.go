package wire

import (
	"bytes"
	"context"

	"github.com/redis/go-redis/v9"
)

// BufferedCmd keeps the raw answer to a script in memory that is about large enough from the start: a redis.RawCmd copies
// some four times what it reads, because it begins with nothing.
type BufferedCmd struct {
	*redis.RawWriteToCmd
	into *replyBuffer
}

// mostLikely bounds what is set aside for an answer before it comes.
const mostLikely = 64 << 10

// NewBufferedCmd returns a command whose answer is likely to have so many bytes.
func NewBufferedCmd(ctx context.Context, likely int, args []any) BufferedCmd {
	into := new(replyBuffer)
	into.Grow(min(likely+likely/4, mostLikely) + bytes.MinRead) // most are no longer than that
	return BufferedCmd{redis.NewRawWriteToCmd(ctx, into, args...), into}
}

// Failure returns why there is no answer, be it the server that says so.
func (c BufferedCmd) Failure() error { return rawError(c.Val(), c.Err(), c.RawWriteToCmd.Args()) }

// Val returns the answer.
func (c BufferedCmd) Val() []byte { return c.into.Bytes() }

// Args is asked for before each attempt: the next attempt must not find what the last one has left behind.
func (c BufferedCmd) Args() []any {
	c.into.over = true
	return c.RawWriteToCmd.Args()
}

// NoRetry is false although a writer is involved, because of Args.
func (c BufferedCmd) NoRetry() bool { return false }

// replyBuffer is an io.Writer of one answer.
type replyBuffer struct {
	bytes.Buffer
	over bool // what comes next belongs to another answer
}

// Write begins each line of an answer, and with it the answer; what is longer than a line is read by the buffer itself.
func (b *replyBuffer) Write(p []byte) (int, error) {
	if b.over {
		b.Reset()
		b.over = false
	}
	return b.Buffer.Write(p)
}
