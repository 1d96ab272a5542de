package wire

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// Care says how often a call may be sent.
type Care int

const (
	// SendOnce is for effects: a call whose outcome is unknown is not sent again, and a refusal is returned at once, so that
	// effects keep their order.
	SendOnce Care = iota
	// SendAgain is for calls that may be repeated: reads, and claims, which have a random id.
	SendAgain
)

// Run calls a script and returns its answer. If the server does not know the scripts, it loads them again first.
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

// RunRaw calls a script that may be sent again, and returns its answer with what it brings (Rest).
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
	once := NewOnce(ctx, call...)
	if care == SendAgain {
		c.Process(ctx, once.Cmd)
	} else {
		c.Process(ctx, once)
	}
	reply, err = once.Result()
	return reply, sha.Explain(err)
}

// SendIf has a script call leave only if it may.
func SendIf(may func() bool, call []any) []any {
	Departing(call).If(may)
	return call
}

// Departing puts a new Departure into a script call. Do so each time the call is sent.
func Departing(call []any) *Departure {
	sha := NewDeparture(fmt.Sprint(call[1]))
	if before, is := call[1].(*Departure); is {
		sha.may = before.may
	}
	call[1] = sha
	return sha
}

// Once is a command that go-redis does not send again by itself. So a refusal in its answer proves that it was not run.
type Once struct{ *redis.Cmd }

// NewOnce returns a command that is sent once.
func NewOnce(ctx context.Context, args ...any) Once { return Once{redis.NewCmd(ctx, args...)} }

// NoRetry tells go-redis not to send the command again.
func (Once) NoRetry() bool { return true }
