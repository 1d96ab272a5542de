package wire

import (
	"context"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// Brief is a command whose raw answer is short as a rule, a number or an empty list: it has room for that itself. Any answer will do,
// also the QUEUED of a transaction that could not be ended, which go-redis would take for a broken connection where it expects a number.
type Brief struct {
	redis.RawWriteToCmd
	into briefReply
}

// prepare makes the command. It must not move after that.
func (b *Brief) prepare(ctx context.Context, args []any) {
	b.RawWriteToCmd = *redis.NewRawWriteToCmd(ctx, &b.into, args...)
}

// QueueBrief queues a command whose answer is short as a rule.
func QueueBrief(ctx context.Context, p Queue, args ...any) *Brief {
	b := new(Brief)
	b.prepare(ctx, args)
	_ = p.Process(ctx, b) // only queued
	return b
}

// Failure returns why there is no answer, be it the server that says so.
func (b *Brief) Failure() error { return rawError(b.Val(), b.Err(), b.RawWriteToCmd.Args()) }

// Val returns the answer.
func (b *Brief) Val() []byte { return b.into.text }

// Args is called by go-redis before each attempt, and by hooks at any time. It notes that the next answer replaces what an earlier attempt
// has left behind.
func (b *Brief) Args() []any {
	b.into.over.Store(true)
	return b.RawWriteToCmd.Args()
}

// NoRetry returns false, so that go-redis may send the command again: see Args.
func (*Brief) NoRetry() bool { return false }

// briefReply is an io.Writer of an answer.
type briefReply struct {
	room [24]byte
	text []byte
	over atomic.Bool // the next bytes belong to another answer
}

// Write appends a part of an answer.
func (r *briefReply) Write(p []byte) (int, error) {
	if r.over.Swap(false) {
		r.text = r.room[:0]
	}
	r.text = append(r.text, p...)
	return len(p), nil
}
