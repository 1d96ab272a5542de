package cache

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"

	"github.com/tablecache-go/tablecache/table"
)

// Source is where the records come from. Fetch yields each record once whose score in the index lies in one of the intervals, as the
// source has it now: what was committed before the call must be in. The intervals are sorted and apart. After an error Fetch yields nothing more, and a
// sequence that ends without one is whole. Fetch is called by several goroutines. When ctx ends, it ends soon, with an error.
//
// A source that panics, that yields a record twice, or one that was not asked for, has failed: see ErrSource.
type Source[R any] interface {
	Fetch(ctx context.Context, index string, in []table.Interval) iter.Seq2[R, error]
}

// KeySource is a Source that also finds records by key. A key without a record is skipped.
type KeySource[R any, K comparable] interface {
	FetchKeys(ctx context.Context, keys []K) iter.Seq2[R, error]
}

// fetched is a record of the source, with what was asked of it already.
type fetched[R any, K comparable] struct {
	record R
	key    K
	score  float64
}

// fetch yields what the source has in a set of scores, each record once. An error is the last thing yielded.
func (c *Cache[R, K]) fetch(ctx context.Context, index string, set []table.Interval) iter.Seq2[fetched[R, K], error] {
	if len(set) == 0 {
		return func(func(fetched[R, K], error) bool) {}
	}
	return c.checked(ctx, index, func(ctx context.Context) iter.Seq2[R, error] { return c.source.Fetch(ctx, index, set) }, func(f *fetched[R, K]) error {
		if !has(set, f.score) {
			return errUnasked
		}
		return nil
	})
}

// fetchKeys yields the records that the source has under the keys. Their scores are those of index, unless that is empty.
func (c *Cache[R, K]) fetchKeys(ctx context.Context, index string, keys []K) iter.Seq2[fetched[R, K], error] {
	asked := make(map[K]struct{}, len(keys))
	for _, key := range keys {
		asked[key] = struct{}{}
	}
	return c.checked(ctx, index, func(ctx context.Context) iter.Seq2[R, error] { return c.keySource.FetchKeys(ctx, keys) }, func(f *fetched[R, K]) error {
		if _, is := asked[f.key]; !is {
			return errUnasked
		}
		return nil
	})
}

var (
	errUnasked = errors.New("a record that was not asked for")
	errTwice   = errors.New("a record came twice")
	errNaN     = errors.New("a score that is not a number")
)

// checked yields what a source yields, until something is wrong with it.
func (c *Cache[R, K]) checked(ctx context.Context, index string, begin func(context.Context) iter.Seq2[R, error],
	check func(*fetched[R, K]) error) iter.Seq2[fetched[R, K], error] {
	return func(yield func(fetched[R, K], error) bool) {
		ctx, cancel := c.timed(ctx)
		defer cancel()
		seen, stopped := make(map[K]struct{}), false
		err := guarded(func() iter.Seq2[R, error] { return begin(ctx) }, func(r R) (bool, error) {
			f, err := c.identify(index, r)
			if err == nil {
				err = check(&f)
			}
			if _, twice := seen[f.key]; err == nil && twice {
				err = errTwice
			}
			if err != nil {
				return false, c.wrongRecord(f.key, err)
			}
			seen[f.key] = struct{}{}
			stopped = !yield(f, nil)
			return !stopped, nil
		})
		if err == nil && !stopped && ctx.Err() != nil {
			err = ended(ctx) // a source that has ended with its context may have more
		}
		if err != nil {
			yield(fetched[R, K]{}, fmt.Errorf("%w: %w", ErrSource, err))
		}
	}
}

// timed returns the context of one fetch.
func (c *Cache[R, K]) timed(ctx context.Context) (context.Context, context.CancelFunc) {
	if c.fetchTime <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, c.fetchTime)
}

// wrongRecord says of which record a source has been wrong.
func (c *Cache[R, K]) wrongRecord(key K, err error) error {
	if errors.As(err, new(*table.CodingError)) {
		return err
	}
	return fmt.Errorf("record %s: %w", c.table.KeyHash(key), err)
}

// identify returns a record with its key and its score.
func (c *Cache[R, K]) identify(index string, r R) (f fetched[R, K], err error) {
	f.record = r
	if f.key, err = c.def.KeyOf(&r); err == nil && index != "" {
		f.score, err = c.def.Score(index, &r)
	}
	if err == nil && math.IsNaN(f.score) {
		err = errNaN
	}
	return f, err
}

// guarded calls each with what a source yields, until each returns false. It returns the error of each, or of the source; a panic of the
// source is one, too.
func guarded[R any](begin func() iter.Seq2[R, error], each func(R) (bool, error)) (err error) {
	ours := false // it is each that panics: its caller's affair
	defer func() {
		if ours {
			return
		}
		if p := recover(); p != nil {
			err = panicked(p)
		}
	}()
	for r, err := range begin() {
		if err != nil {
			return err
		}
		ours = true
		on, err := each(r)
		ours = false
		if !on {
			return err
		}
	}
	return nil
}

// panicked is the error of a panic in a caller's function. Its value may have a record in it.
func panicked(p any) error { return fmt.Errorf("%w: %T", table.ErrPanic, p) }

// sourceError returns an error of a write. A record that cannot be stored is the source's.
func sourceError(err error) error {
	if errors.As(err, new(*table.CodingError)) {
		return fmt.Errorf("%w: %w", ErrSource, err)
	}
	return err
}
