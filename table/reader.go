package table

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/singleflight"
)

// reader asks Redis for all readers of a table. Callers queue their questions; a few flights take
// what waits at the same moment and send it as one pipeline. A caller whose context ends leaves
// at once, and its question with it: only flights wait for sockets, so their number bounds the
// reads that a hanging Redis holds up.
type reader struct {
	*wire
	asks chan *ask     // written by callers, read by flights, never closed
	done chan struct{} // closed by stop
	wg   sync.WaitGroup
	load singleflight.Group
}

// ask is one command and where its answer goes.
type ask struct {
	cmd  *redis.Cmd
	left atomic.Bool   // the caller has gone
	done chan struct{} // closed by the flight when cmd has its answer
}

const (
	flights  = 4    // pipelines under way at once
	gathered = 64   // questions in one pipeline
	queued   = 1024 // questions that wait before callers wait at the door
)

func startReader(w *wire) *reader {
	r := &reader{wire: w, asks: make(chan *ask, queued), done: make(chan struct{})}
	for range flights {
		r.wg.Go(r.fly)
	}
	return r
}

// stop ends all waiting questions with ErrClosed and waits for flights under way.
func (r *reader) stop() {
	close(r.done)
	r.wg.Wait()
}

func (r *reader) fly() {
	for {
		select {
		case a := <-r.asks:
			r.send(r.gather(a))
		case <-r.done:
			return
		}
	}
}

// gather adds to a what else waits now.
func (r *reader) gather(a *ask) []*ask {
	batch := make([]*ask, 0, gathered)
	for {
		if !a.left.Load() {
			batch = append(batch, a)
		}
		if len(batch) == gathered {
			return batch
		}
		select {
		case a = <-r.asks:
		default:
			return batch
		}
	}
}

func (r *reader) send(batch []*ask) {
	ctx := context.Background() // no caller's: the batch is many callers'
	switch len(batch) {
	case 0:
		return
	case 1:
		_ = r.rdb.Process(ctx, batch[0].cmd)
	default:
		p := r.rdb.Pipeline()
		for _, a := range batch {
			_ = p.Process(ctx, a.cmd)
		}
		_, _ = p.Exec(ctx)
	}
	for _, a := range batch {
		close(a.done)
	}
}

// ask returns the answer to a script call. It waits for a place and for the answer, until ctx
// ends or the table is closed.
func (r *reader) ask(ctx context.Context, args []any) (answer, error) {
	for pause := firstPause; ; pause = min(2*pause, mostPause) {
		reply, err := r.once(ctx, args)
		switch {
		case err == nil:
			return parseAnswer(reply)
		case isNoScript(err):
			err = r.reload(ctx)
		case isServerError(err) && temporary(err):
			err = sleep(ctx, r.done, pause)
		case isServerError(err) && isForeignType(err):
			return answer{}, fmt.Errorf("%w: a key has a foreign type: %w", ErrLost, err)
		}
		if err != nil {
			return answer{}, err
		}
	}
}

// reload tells the server its scripts again: once for all who find them forgotten.
func (r *reader) reload(ctx context.Context) error {
	loaded := r.load.DoChan("", func() (any, error) {
		return nil, r.scripts.load(context.Background(), r.rdb)
	})
	select {
	case l := <-loaded:
		return l.Err
	case <-ctx.Done():
		return ended(ctx)
	}
}

// Pauses between two attempts when the server refuses for a reason that passes by itself.
const (
	firstPause = 2 * time.Millisecond
	mostPause  = 250 * time.Millisecond
)

// sleep waits for about d, or until ctx ends or done is closed.
func sleep(ctx context.Context, done <-chan struct{}, d time.Duration) error {
	timer := time.NewTimer(d/2 + rand.N(d))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ended(ctx)
	case <-done:
		return ErrClosed
	}
}

func (r *reader) once(ctx context.Context, args []any) (any, error) {
	a := &ask{cmd: redis.NewCmd(context.Background(), args...), done: make(chan struct{})}
	if err := r.queue(ctx, a); err != nil {
		return nil, err
	}
	select {
	case <-a.done:
		return a.cmd.Result()
	case <-ctx.Done():
		a.left.Store(true)
		return nil, ended(ctx)
	case <-r.done:
		a.left.Store(true)
		return nil, ErrClosed
	}
}

func (r *reader) queue(ctx context.Context, a *ask) error {
	if ctx.Err() != nil {
		return ended(ctx)
	}
	select {
	case <-r.done:
		return ErrClosed
	default:
	}
	select {
	case r.asks <- a:
		return nil
	case <-ctx.Done():
		return ended(ctx)
	case <-r.done:
		return ErrClosed
	}
}

// ended says why ctx is over: errors.Is finds context.Canceled or DeadlineExceeded, and the
// cause where one was given.
func ended(ctx context.Context) error {
	if cause := context.Cause(ctx); cause != ctx.Err() {
		return fmt.Errorf("tablecache: %w: %w", ctx.Err(), cause)
	}
	return fmt.Errorf("tablecache: %w", ctx.Err())
}
