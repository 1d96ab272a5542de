package wire

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// Queue takes commands that are sent later: a Pipeline of ours, or one of go-redis.
type Queue interface {
	Process(ctx context.Context, cmd redis.Cmder) error
}

// Pipeline is commands that are sent together. It has room for them from the start: go-redis would allocate each by itself, and a
// list for each.
type Pipeline struct {
	cmds []redis.Cmder
	acks []Ack
}

// NewPipeline returns a pipeline with room for n commands, of which so many are acknowledged only.
func NewPipeline(n, acks int) *Pipeline {
	return &Pipeline{cmds: make([]redis.Cmder, 0, n), acks: make([]Ack, 0, acks)}
}

// Process queues a command.
func (p *Pipeline) Process(_ context.Context, cmd redis.Cmder) error {
	p.cmds = append(p.cmds, cmd)
	return nil
}

// Ack is a command of which only the error counts. It is not sent again: see Once.
type Ack struct{ redis.StatusCmd }

// NoRetry tells go-redis not to send the command again.
func (*Ack) NoRetry() bool { return true }

// Ack queues a command of which only the error counts.
func (p *Pipeline) Ack(ctx context.Context, args ...any) *Ack {
	if len(p.acks) == cap(p.acks) {
		p.acks = make([]Ack, 0, 8) // those that are queued must not move
	}
	p.acks = append(p.acks, Ack{*redis.NewStatusCmd(ctx, args...)})
	cmd := &p.acks[len(p.acks)-1]
	p.cmds = append(p.cmds, cmd)
	return cmd
}

// Flush sends the pipeline by an empty one of go-redis. See the function Flush.
func (p *Pipeline) Flush(ctx context.Context, by redis.Pipeliner) (tooLong error) {
	_ = by.BatchProcess(ctx, p.cmds...) // only queued
	return Flush(ctx, by)
}
