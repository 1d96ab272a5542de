package cache

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/tablecache-go/tablecache/table"
)

// flights are calls under way that others may join. A call ends when all who wait for it have left, not with the first of them.
type flights[V any] struct {
	ctx context.Context // of the cache: it ends all calls
	wg  *sync.WaitGroup

	mu     sync.Mutex // guards what follows
	flying map[string]*flight[V]
}

type flight[V any] struct {
	cancel  context.CancelFunc
	waiting int           // guarded by mu
	done    chan struct{} // closed after value and err were written
	value   V
	err     error
}

// do returns what a call under this name returns: one that is under way, or run. It waits until ctx ends.
func (g *flights[V]) do(ctx context.Context, name string, run func(context.Context) (V, error)) (V, error) {
	f, err := g.join(ctx, name, run)
	if err != nil {
		var none V
		return none, err
	}
	select {
	case <-f.done:
		return f.value, g.reason(f.err)
	case <-ctx.Done():
		g.leave(name, f)
		var none V
		return none, ended(ctx)
	}
}

func (g *flights[V]) join(ctx context.Context, name string, run func(context.Context) (V, error)) (*flight[V], error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ctx.Err() != nil {
		return nil, table.ErrClosed
	}
	f := g.flying[name]
	if f == nil {
		f = g.start(ctx, name, run)
	}
	f.waiting++
	return f, nil
}

// start starts a call, with the values of its first caller's context.
func (g *flights[V]) start(ctx context.Context, name string, run func(context.Context) (V, error)) *flight[V] {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	unhook := context.AfterFunc(g.ctx, cancel)
	f := &flight[V]{cancel: cancel, done: make(chan struct{})}
	g.flying[name] = f
	g.wg.Go(func() {
		defer cancel()
		defer unhook()
		defer close(f.done)
		defer g.forget(name, f)
		f.err = errGone
		f.value, f.err = run(ctx)
	})
	return f
}

// errGone: what a call has called has ended its goroutine (runtime.Goexit, as FailNow of a test does), so that it did not return.
var errGone = fmt.Errorf("%w: the goroutine was ended", table.ErrPanic)

// leave ends a call for which nobody waits any more.
func (g *flights[V]) leave(name string, f *flight[V]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if f.waiting--; f.waiting == 0 {
		f.cancel()
		g.remove(name, f)
	}
}

func (g *flights[V]) forget(name string, f *flight[V]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.remove(name, f)
}

// remove makes the next caller start a call anew. The caller holds mu.
func (g *flights[V]) remove(name string, f *flight[V]) {
	if g.flying[name] == f {
		delete(g.flying, name)
	}
}

// closed returns when no call can be started any more, after ctx has ended.
func (g *flights[V]) closed() {
	g.mu.Lock() // whoever has joined before has started what it starts
	defer g.mu.Unlock()
}

// reason returns why a call has failed: it is not told of the end of a context that is not its caller's.
func (g *flights[V]) reason(err error) error {
	switch {
	case err == nil || g.ctx.Err() == nil:
		return err
	case errors.Is(err, table.ErrUnknownOutcome):
		return fmt.Errorf("%w: %w", table.ErrClosed, table.ErrUnknownOutcome)
	default:
		return table.ErrClosed
	}
}

// ended returns the error of a context that has ended, with its cause.
func ended(ctx context.Context) error {
	if cause := context.Cause(ctx); cause != ctx.Err() {
		return errors.Join(ctx.Err(), cause)
	}
	return ctx.Err()
}
