package wire

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// Care says how often a call may be sent.
type Care int

const (
	// SendOnce is for effects: nobody repeats one whose outcome is unknown, and a refusal is told at once, so that effects
	// keep their order.
	SendOnce Care = iota
	// SendAgain is for what may be repeated: reads, and claims with their random id.
	SendAgain
)

// Run has a script called, and returns its answer. Where the server has forgotten the scripts it is told them again first.
func (c *Client) Run(ctx context.Context, care Care, call []any) (Answer, error) {
	var reply any
	err := c.Retry(ctx, nil, care, func() (err error) {
		reply, err = c.send(ctx, care, call)
		return err
	})
	if err != nil {
		return Answer{}, err
	}
	return ParseAnswer(reply)
}

// RunRaw has a script called that may be sent again, and returns its answer with all that it brings.
func (c *Client) RunRaw(ctx context.Context, call []any) (Answer, error) {
	var cmd *redis.RawCmd
	err := c.Retry(ctx, nil, SendAgain, func() error {
		sha := Departing(call)
		cmd = redis.NewRawCmd(ctx, call...)
		c.Process(ctx, cmd)
		return sha.Explain(RawError(cmd))
	})
	if err != nil {
		return Answer{}, err
	}
	return ReadAnswer(cmd.Val())
}

func (c *Client) send(ctx context.Context, care Care, call []any) (reply any, err error) {
	sha := Departing(call)
	if care == SendAgain {
		cmd := redis.NewCmd(ctx, call...)
		c.Process(ctx, cmd)
		reply, err = cmd.Result()
	} else {
		cmd := NewOnce(ctx, call...)
		c.Process(ctx, cmd)
		reply, err = cmd.Result()
	}
	return reply, sha.Explain(err)
}

// SendIf has a script call leave only if it may.
func SendIf(may func() bool, call []any) []any {
	Departing(call).If(may)
	return call
}

// Departing makes a script call tell whether it has left, each time it is to be sent.
func Departing(call []any) *Departure {
	sha := NewDeparture(fmt.Sprint(call[1]))
	if before, is := call[1].(*Departure); is {
		sha.may = before.may
	}
	call[1] = sha
	return sha
}

// Once is a command that go-redis must not send again by itself: an error in its answer then proves that it was not run.
type Once struct{ *redis.Cmd }

// NewOnce returns a command that is sent once.
func NewOnce(ctx context.Context, args ...any) Once { return Once{redis.NewCmd(ctx, args...)} }

// NoRetry tells go-redis.
func (Once) NoRetry() bool { return true }
