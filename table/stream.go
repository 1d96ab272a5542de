package table

import (
	"context"
	"errors"
	"iter"

	"github.com/tablecache-go/tablecache/engine"
)

// Stream is a read that delivers its records through a bounded channel.
type Stream[R any] struct {
	c      chan R // written and closed by the producer
	cancel context.CancelFunc
	done   chan struct{} // closed by the producer before c
	err    error         // written by the producer before done is closed
}

// Stream starts a read of s, which is a snapshot as for Records, and returns it at once. Its channel
// holds as many records as WithStreamBuffer says. Receive until the channel is closed, or end ctx, or
// call Close: each of these frees all that the stream holds.
func (h *handle[R, K]) Stream(ctx context.Context, s Spec[R]) *Stream[R] {
	return startStream(ctx, h.base, h.buffer, func(ctx context.Context) iter.Seq2[R, error] { return h.Records(ctx, s) })
}

func startStream[R any](ctx context.Context, b *base, buffer int, records func(context.Context) iter.Seq2[R, error]) *Stream[R] {
	ctx, cancel := context.WithCancel(ctx)
	st := &Stream[R]{c: make(chan R, buffer), cancel: cancel, done: make(chan struct{})}
	if err := b.reader.Go(func() { st.end(produce(ctx, b, records(ctx), st.c)) }); err != nil {
		st.end(b.errorf("stream", err))
	}
	return st
}

// produce sends every record to c and skips those that cannot be decoded. It returns an error for each
// that it skipped, joined with the one that ended the read early.
func produce[R any](ctx context.Context, b *base, records iter.Seq2[R, error], c chan<- R) error {
	var errs []error
	for r, err := range records {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		select {
		case c <- r:
		case <-ctx.Done():
			return errors.Join(append(errs, b.errorf("stream", engine.Ended(ctx)))...)
		case <-b.reader.Done():
			return errors.Join(append(errs, b.errorf("stream", b.reader.Err()))...)
		}
	}
	return errors.Join(errs...)
}

func (s *Stream[R]) end(err error) {
	s.err = err
	close(s.done)
	close(s.c)
	s.cancel()
}

// C returns the channel of the records. It is closed when all records were delivered, or when the
// stream has ended early; Err tells which.
func (s *Stream[R]) C() <-chan R { return s.c }

// Err returns nil before C is closed. After that it returns nil if every record was delivered; else it
// returns why the stream ended early, joined with a *CodingError for each record that it skipped.
func (s *Stream[R]) Err() error {
	select {
	case <-s.done:
		return s.err
	default:
		return nil
	}
}

// Close ends the stream and waits until it holds nothing any more. If the stream was ended early by Close,
// Err Is context.Canceled. Closing a stream that has ended does nothing.
func (s *Stream[R]) Close() {
	s.cancel()
	<-s.done
}
