package table

import (
	"bytes"
	"context"

	"github.com/redis/go-redis/v9"
)

// pageCmd keeps the raw answer to a page's script, in memory that is about large enough from the start: a redis.RawCmd copies
// some four times what it reads, because it begins with nothing.
type pageCmd struct {
	*redis.RawWriteToCmd
	into *pageBuffer
}

// mostLikely bounds what is set aside for an answer before it comes.
const mostLikely = 64 << 10

func newPageCmd(ctx context.Context, likely int, args []any) pageCmd {
	into := new(pageBuffer)
	into.Grow(min(likely+likely/4, mostLikely) + bytes.MinRead) // most are no longer than that
	return pageCmd{redis.NewRawWriteToCmd(ctx, into, args...), into}
}

// Val returns the answer.
func (c pageCmd) Val() []byte { return c.into.Bytes() }

// Args is asked for before each attempt: what one has left behind, the next one must not find.
func (c pageCmd) Args() []any {
	c.into.over = true
	return c.RawWriteToCmd.Args()
}

// NoRetry is false although a writer is involved, because of Args.
func (c pageCmd) NoRetry() bool { return false }

// pageBuffer is an io.Writer of one answer.
type pageBuffer struct {
	bytes.Buffer
	over bool // what comes next belongs to another answer
}

// Write begins each line of an answer, and with it the answer; what is longer than a line is read by the buffer itself.
func (b *pageBuffer) Write(p []byte) (int, error) {
	if b.over {
		b.Reset()
		b.over = false
	}
	return b.Buffer.Write(p)
}
