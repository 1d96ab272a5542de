package table

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/engine"
)

// reader asks Redis for all readers of a table. Callers queue their questions; a few flights take what waits at the same
// moment and send it as one pipeline (flight.go). A caller whose context ends leaves at once, and its question with it: only
// flights wait for sockets, so their number bounds the reads that a hanging Redis holds up.
type reader struct {
	*wire
	asks  chan *ask     // written by callers, read by flights, never closed
	done  chan struct{} // closed by stop
	wg    sync.WaitGroup
	load  singleflight.Group
	away  atomic.Int32 // flights that wait for Redis
	storm atomic.Int32 // for how many flights more short ranges are left to scripts
}

// question is what a reader wants to know.
type question struct {
	call  []any          // the script call that answers it
	plain [][]any        // or the commands that do; their raw answers are parsed by who asks
	rows  []any          // one more of those, before the others, if it asks for rows
	keys  []engine.Bytes // a look-up's: it may travel in one call with others
	short *short         // a range that plain commands may answer, together with others
	page  *average       // if it asks for a page: how long those of scripts are
}

// reply is the answer, and where it did not come from a call of the question's own, what was found.
type reply struct {
	answer
	raw   [][]byte // to plain commands, one each
	rows  [][]byte // of the keys, or of the plain command for rows
	found *found   // in the range
}

// ask is a question on its way, and the place for the reply.
type ask struct {
	question
	left  atomic.Bool   // the caller has gone
	done  chan struct{} // closed by the flight when reply and err are there
	reply reply
	err   error
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

// ask returns the answer to a script call, as put does.
func (r *reader) ask(ctx context.Context, call []any) (answer, error) {
	reply, err := r.put(ctx, question{call: call})
	return reply.answer, err
}

// put has a question answered, however often it must be sent. It waits for a place and for the answer, until ctx ends or the
// table is closed.
func (r *reader) put(ctx context.Context, q question) (reply, error) {
	for pause := firstPause; ; pause = min(2*pause, mostPause) {
		answered, err := r.once(ctx, q)
		switch {
		case isNoScript(err):
			err = r.reload(ctx)
		case isMoved(err):
			err = r.follow(ctx, pause)
		case isServerError(err) && temporary(err):
			err = sleep(ctx, r.done, pause)
		case isServerError(err) && isForeignType(err):
			return reply{}, fmt.Errorf("%w: a key has a foreign type: %w", ErrLost, err)
		default:
			return answered, err
		}
		if err != nil {
			return reply{}, err
		}
	}
}

// reload tells the server its scripts again: once for all who find them forgotten.
func (r *reader) reload(ctx context.Context) error {
	loaded := r.load.DoChan("", func() (any, error) {
		ctx := context.Background() // no caller's
		return nil, patiently(ctx, r.done, func() error { return r.scripts.load(ctx, r.rdb) })
	})
	select {
	case l := <-loaded:
		return l.Err
	case <-ctx.Done():
		return ended(ctx)
	}
}

// follow looks where the table is now. Raw replies hide that from the client, which would look itself.
func (r *reader) follow(ctx context.Context, pause time.Duration) error {
	if c, ok := r.rdb.(*redis.ClusterClient); ok {
		c.ReloadState(ctx)
	}
	return sleep(ctx, r.done, pause)
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

func (r *reader) once(ctx context.Context, q question) (reply, error) {
	a := &ask{question: q, done: make(chan struct{})}
	if err := r.queue(ctx, a); err != nil {
		return reply{}, err
	}
	select {
	case <-a.done:
		return a.reply, a.err
	case <-ctx.Done():
		a.left.Store(true)
		return reply{}, ended(ctx)
	case <-r.done:
		a.left.Store(true)
		return reply{}, ErrClosed
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

// ended says why ctx is over: errors.Is finds context.Canceled or DeadlineExceeded, and the cause where one was given.
func ended(ctx context.Context) error {
	if cause := context.Cause(ctx); cause != ctx.Err() {
		return fmt.Errorf("tablecache: %w: %w", ctx.Err(), cause)
	}
	return fmt.Errorf("tablecache: %w", ctx.Err())
}
