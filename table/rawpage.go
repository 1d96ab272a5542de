package table

import (
	"context"
	"io"
	"slices"

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
	into := &pageBuffer{bytes: make([]byte, 0, min(likely+likely/4, mostLikely))} // most are no longer than that
	return pageCmd{redis.NewRawWriteToCmd(ctx, into, args...), into}
}

// Val returns the answer.
func (c pageCmd) Val() []byte { return c.into.bytes }

// Args is asked for before each attempt: what one has left behind, the next one must not find.
func (c pageCmd) Args() []any {
	c.into.over = true
	return c.RawWriteToCmd.Args()
}

// NoRetry is false although a writer is involved, because of Args.
func (c pageCmd) NoRetry() bool { return false }

// pageBuffer is an io.Writer of one answer.
type pageBuffer struct {
	bytes []byte
	over  bool // what comes next belongs to another answer
}

func (b *pageBuffer) Write(p []byte) (int, error) {
	b.begin()
	b.bytes = append(b.bytes, p...)
	return len(p), nil
}

// ReadFrom is what io.Copy calls, with a reader that knows how much it has left.
func (b *pageBuffer) ReadFrom(from io.Reader) (int64, error) {
	b.begin()
	limited, ok := from.(*io.LimitedReader)
	if !ok {
		rest, err := io.ReadAll(from)
		b.bytes = append(b.bytes, rest...)
		return int64(len(rest)), err
	}
	at := len(b.bytes)
	b.bytes = slices.Grow(b.bytes, int(limited.N))[:at+int(limited.N)]
	n, err := io.ReadFull(limited.R, b.bytes[at:])
	b.bytes, limited.N = b.bytes[:at+n], limited.N-int64(n)
	return int64(n), err
}

func (b *pageBuffer) begin() {
	if b.over {
		b.bytes, b.over = b.bytes[:0], false
	}
}
