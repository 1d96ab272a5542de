package scan

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/singleflight"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// batcher sends the requests of all reads of a table. Callers queue their requests; a few goroutines, the senders, take those that
// wait at the same moment and send them as one pipeline (pipeline.go). A caller whose context ends leaves at once. Only the senders
// wait for sockets, so a Redis that hangs holds up no more goroutines than there are senders.
type batcher struct {
	client      *wire.Client
	send        func(context.Context, []redis.Cmder) error // an error means that no command was answered
	requests    chan *pending                              // written by callers, read by senders, never closed
	done        chan struct{}                              // closed by stop
	ctx         context.Context
	cancel      context.CancelFunc // called by stop: it ends what a pipeline waits for, except a socket read
	wg          sync.WaitGroup
	away        atomic.Int32 // pipelines that wait for Redis
	cooldown    cooldown     // for range scans
	amongStaged atomic.Bool  // where range scans found rows last: see wire.AmongStaged
	lineages    singleflight.Group
	fetch       fetcher // lineage; a method value made once
}

// startBatcher starts a batcher with so many goroutines.
func startBatcher(c *wire.Client, senders int, send func(context.Context, []redis.Cmder) error) *batcher {
	b := &batcher{client: c, send: send, requests: make(chan *pending, queued), done: make(chan struct{})}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	b.fetch = b.lineage
	for range senders {
		b.wg.Go(b.run)
	}
	return b
}

// stop ends all waiting requests with ErrClosed, ends dials, retries and waits for a connection, and waits for the pipelines under
// way.
func (b *batcher) stop() {
	close(b.done)
	b.cancel()
	b.wg.Wait()
}

// put sends a request as often as it must and returns the answer. It waits for a place and for the answer, until ctx ends or the
// batcher is stopped. If the server closes the connection, the request is sent once more, alone. If the server closes the connection
// again, the error tells what is known of the reason.
func (b *batcher) put(ctx context.Context, q request) (response, error) {
	r, err := b.again(ctx, q)
	if wire.WasClosed(err) && ctx.Err() == nil {
		q.alone = true
		if r, err = b.again(ctx, q); wire.WasClosed(err) && ctx.Err() == nil {
			err = b.explain(ctx, err)
		}
	}
	return r, wire.LostToForeignType(err)
}

func (b *batcher) again(ctx context.Context, q request) (r response, err error) {
	err = b.client.Retry(ctx, b.done, wire.SendAgain, func() (err error) {
		r, err = b.once(ctx, q)
		return err
	})
	return r, err
}

// explain returns err, or ErrTooLarge if a small request gets through although the server has closed the connection each time for
// another one. Then it also asks the server for its limit.
func (b *batcher) explain(ctx context.Context, err error) error {
	if _, small := b.again(ctx, request{commands: [][]any{b.client.Commands.Truth}, alone: true}); small != nil {
		return err
	}
	limit, failed := b.again(ctx, request{commands: [][]any{wire.ConfigGet(wire.OutputLimit)}, alone: true})
	if failed != nil || len(limit.raw) == 0 {
		return wire.ExplainAnswer(err, nil)
	}
	return wire.ExplainAnswer(err, limit.raw[0])
}

func (b *batcher) once(ctx context.Context, q request) (response, error) {
	since := time.Now()
	p := &pending{request: q, caller: [1]context.Context{ctx}, done: make(chan struct{})}
	if err := b.queue(ctx, p, since); err != nil {
		return response{}, err
	}
	select {
	case <-p.done:
		return p.response, p.err
	case <-ctx.Done():
		p.abandoned.Store(true)
		return response{}, b.client.EndedWaiting(ctx, since)
	case <-b.done:
		p.abandoned.Store(true)
		return response{}, engine.ErrClosed
	}
}

func (b *batcher) queue(ctx context.Context, p *pending, since time.Time) error {
	if ctx.Err() != nil {
		return engine.Ended(ctx)
	}
	select {
	case <-b.done:
		return engine.ErrClosed
	default:
	}
	select {
	case b.requests <- p:
		return nil
	case <-ctx.Done():
		return b.client.EndedWaiting(ctx, since)
	case <-b.done:
		return engine.ErrClosed
	}
}

// run sends what waits until the batcher is stopped.
func (b *batcher) run() {
	for {
		select {
		case p := <-b.requests:
			b.answer(b.gather(p))
		case <-b.done:
			return
		}
	}
}

// gather adds to first what else waits now.
func (b *batcher) gather(first *pending) []*pending {
	group := make([]*pending, 0, gathered)
	for p := first; ; {
		if !p.abandoned.Load() {
			group = append(group, p)
		}
		if len(group) == gathered {
			return group
		}
		select {
		case p = <-b.requests:
		default:
			return group
		}
	}
}
