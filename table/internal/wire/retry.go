package wire

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/engine"
)

// What is done about a refusal:
//
//	refusal            what may be sent again                an effect
//	NOSCRIPT           load the scripts, send again; if      load the scripts, send again, once
//	                   they went to another node, pause
//	MOVED, ASK         find the node, pause, send again      told (go-redis follows for effects, and the engine pauses)
//	one that passes    pause, send again                     told (the engine pauses, and keeps the order)
//	any other          told                                  told
//
//	a cluster's node   find the node, pause, send again,     told (the engine pauses)
//	that is gone       mostReplicas times
//	a replica, where a primary must confirm a loss           pause, make a new connection, send again, mostReplicas times
//
// Pauses double from firstPause to mostPause; each lasts between half and one and a half of that. Trying again ends when the
// caller's context ends, or when done is closed.
const (
	firstPause = 2 * time.Millisecond
	mostPause  = 250 * time.Millisecond

	mostReplicas = 9 // about half a second
)

// Retry calls f until it succeeds or fails with an error after which it is not tried again (see above). It returns f's latest error,
// or, if ctx has ended, that with what it was waiting for, or ErrClosed if done was closed.
func (c *Client) Retry(ctx context.Context, done <-chan struct{}, care Care, f func() error) error {
	pause, loaded, gone, since := firstPause, false, 0, time.Now()
	for {
		err := WithoutEcho(f())
		switch {
		case ctx.Err() == nil: // else err may only say that ctx has ended
			c.Note(err)
		case pause > firstPause && errors.Is(err, ctx.Err()) && !errors.As(err, new(*engine.WaitError)):
			return c.EndedWaiting(ctx, since) // ctx has ended between a pause and f
		}
		switch {
		case err != nil && care == SendAgain && gone < mostReplicas && c.nodeIsGone(err): // Note has asked who has taken over
			gone, err = gone+1, c.sleep(ctx, done, pause, since)
		case !IsRefusal(err):
			return err
		case isNoScript(err) && !loaded:
			loaded, err = true, c.loadAgain(ctx, done, care, since)
		case care == SendOnce:
			return err
		case Passes(err): // Note has seen to a slot that has moved: go-redis does not see that in raw replies
			loaded, err = false, c.sleep(ctx, done, pause, since)
		default:
			return err
		}
		if err != nil {
			return err
		}
		pause = min(2*pause, mostPause)
	}
}

// ConfirmAll calls Confirm again while new connections lead to a replica, because one of them may become the primary. When ctx ends
// it returns ErrClosed.
func (c *Client) ConfirmAll(ctx context.Context, cmds []redis.Cmder) error {
	pause, since := firstPause, time.Now()
	for n := 1; ; n++ {
		err := c.Confirm(ctx, cmds...)
		if !errors.Is(err, ErrReplica) || n == mostReplicas {
			return err
		}
		if err := c.sleep(context.Background(), ctx.Done(), pause, since); err != nil {
			return err
		}
		pause = min(2*pause, mostPause)
	}
}

// loadAgain loads the scripts again, once for all callers that may wait for it.
func (c *Client) loadAgain(ctx context.Context, done <-chan struct{}, care Care, since time.Time) error {
	if care == SendOnce {
		return c.load(ctx)
	}
	loaded := c.reload.DoChan("", func() (any, error) {
		ctx, cancel := until(done) // it must not end with one caller
		defer cancel()
		return nil, c.Retry(ctx, done, SendAgain, func() error { return c.load(ctx) })
	})
	select {
	case l := <-loaded:
		return l.Err
	case <-ctx.Done():
		return c.EndedWaiting(ctx, since)
	case <-done:
		return engine.ErrClosed
	}
}

// until returns a context that ends when done is closed or cancel is called.
func until(done <-chan struct{}) (ctx context.Context, cancel context.CancelFunc) {
	ctx, cancel = context.WithCancel(context.Background())
	go func() {
		select {
		case <-done:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// Pause waits for about d, or until ctx ends.
func (c *Client) Pause(ctx context.Context, d time.Duration) error {
	return c.sleep(ctx, nil, d, time.Now())
}

// sleep waits for about d, or until ctx ends or done is closed. since is when the waiting began.
func (c *Client) sleep(ctx context.Context, done <-chan struct{}, d time.Duration, since time.Time) error {
	timer := time.NewTimer(d/2 + rand.N(d))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return c.EndedWaiting(ctx, since)
	case <-done:
		return engine.ErrClosed
	}
}

// IsRefusal tells whether the server has answered with an error. A refusal inside of a WaitError does not count: it answered an
// earlier attempt.
func IsRefusal(err error) bool {
	if err == nil { // so that the most frequent case allocates nothing
		return false
	}
	var e redis.Error
	return errors.As(err, &e) && !errors.Is(err, redis.Nil) && !errors.As(err, new(*engine.WaitError))
}
