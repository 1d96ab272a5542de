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
//	NOSCRIPT           load the scripts, send again          load the scripts, send again, once
//	MOVED, ASK         find the slot, pause, send again      told (go-redis follows for effects)
//	one that passes    pause, send again                     told (the engine pauses, and keeps the order)
//	any other          told                                  told
//
// Pauses double from firstPause to mostPause, each between half of it and one and a half. All of it lasts until the caller's
// context ends, or done is closed.
const (
	firstPause = 2 * time.Millisecond
	mostPause  = 250 * time.Millisecond
)

// Retry calls f again for as long as the server's refusals say that it may succeed. The error is f's last one, or says that
// ctx has ended and why it was still waiting, or is ErrClosed when done was closed.
func (c *Client) Retry(ctx context.Context, done <-chan struct{}, care Care, f func() error) error {
	pause, loaded, since := firstPause, false, time.Now()
	for {
		err := WithoutEcho(f())
		switch {
		case ctx.Err() == nil: // else it may be no more than that
			c.Note(err)
		case pause > firstPause && errors.Is(err, ctx.Err()) && !errors.As(err, new(*engine.WaitError)):
			return c.EndedWaiting(ctx, since) // it has ended between a pause and f
		}
		switch {
		case !IsRefusal(err):
			return err
		case isNoScript(err) && !(loaded && care == SendOnce):
			loaded, err = true, c.loadAgain(ctx, done, care, since)
		case care == SendOnce:
			return err
		case isMoved(err):
			err = c.follow(ctx, done, pause, since)
		case Passes(err):
			err = c.sleep(ctx, done, pause, since)
		default:
			return err
		}
		if err != nil {
			return err
		}
		pause = min(2*pause, mostPause)
	}
}

// loadAgain tells the server its scripts again: once for all who may wait for it.
func (c *Client) loadAgain(ctx context.Context, done <-chan struct{}, care Care, since time.Time) error {
	if care == SendOnce {
		return c.load(ctx)
	}
	loaded := c.reload.DoChan("", func() (any, error) {
		ctx, cancel := until(done) // no caller's
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

// until returns a context that ends when done is closed, at the latest with cancel.
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

// follow finds out where the table is now. Raw replies hide that from go-redis, which would do it itself.
func (c *Client) follow(ctx context.Context, done <-chan struct{}, pause time.Duration, since time.Time) error {
	if cluster, ok := c.Redis.(*redis.ClusterClient); ok {
		cluster.ReloadState(ctx)
	}
	return c.sleep(ctx, done, pause, since)
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

// IsRefusal tells whether the server itself has answered with an error. What somebody has waited for is no answer to it.
func IsRefusal(err error) bool {
	var e redis.Error
	return errors.As(err, &e) && !errors.Is(err, redis.Nil) && !errors.As(err, new(*engine.WaitError))
}
