package cache

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync/atomic"
	"time"

	"github.com/tablecache-go/tablecache/table"
)

// View reads what a cache covers in any process, without the cache: through a table.Reader, a mirror or a snapshot of one. It knows from
// the note what is covered, and fetches nothing. It is safe for concurrent use.
//
// What is invalid it learns as soon as the cache has told, which is within about a tenth of a second of what is still invalid then: so an answer that is Fresh
// may have been invalidated a moment before. While the table has no owner nobody tells anything.
type View[R any] struct {
	of    table.NotedReading[R]
	now   func() time.Time
	known atomic.Pointer[known]
}

// known is what a note says.
type known struct {
	held
	version table.NoteVersion
}

// NewView returns a view of what a handle reads. It takes WithClock: ages are counted by this process's clock, and fetches by that of
// the cache's process.
func NewView[R any](of table.NotedReading[R], opts ...Option) *View[R] {
	return &View[R]{of: of, now: resolve(opts).now}
}

// Records returns the records of s as Records of the handle does, if all of them are covered and as fresh as f says. Else the error is
// ErrNotCovered, or table.ErrStale, before anything was yielded.
func (v *View[R]) Records(ctx context.Context, s table.Spec[R], f Freshness) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		err := v.read(ctx, s, f, func(n table.NoteVersion) error { return passOn(v.of.Records(ctx, s.IfNote(n)), yield) })
		if err != nil {
			var none R
			yield(none, v.errorf("read", err))
		}
	}
}

// First returns the first record of s, or table.ErrNotFound; it fails as Records does.
func (v *View[R]) First(ctx context.Context, s table.Spec[R], f Freshness) (r R, err error) {
	err = v.read(ctx, s, f, func(n table.NoteVersion) error {
		r, err = v.of.First(ctx, s.IfNote(n))
		return err
	})
	return r, v.errorf("first", err)
}

// Count returns how many records s has; it fails as Records does.
func (v *View[R]) Count(ctx context.Context, s table.Spec[R], f Freshness) (n int, err error) {
	err = v.read(ctx, s, f, func(version table.NoteVersion) error {
		n, err = v.of.Count(ctx, s.IfNote(version))
		return err
	})
	return n, v.errorf("count", err)
}

// Coverage returns what is covered, as the note says now, and asks the handle for that.
func (v *View[R]) Coverage(ctx context.Context) (Coverage, error) {
	k, err := v.learn(ctx)
	if err != nil {
		return Coverage{}, v.errorf("coverage", err)
	}
	return Coverage{k.Index, slices.Clone(k.Spans)}, nil
}

// read reads, tied to the note that says that it may. A note that says that it may not is looked at again first.
func (v *View[R]) read(ctx context.Context, s table.Spec[R], f Freshness, read func(table.NoteVersion) error) error {
	if s.Note != (table.NoteVersion{}) {
		return errCondition
	}
	for k, isNew := v.known.Load(), false; ; isNew = true {
		if k != nil {
			err := k.allows(s.Index, s.Intervals, f, v.now())
			refused := err != nil
			if !refused {
				err = read(k.version)
			}
			if !errors.Is(err, table.ErrNoteChanged) && (!refused || isNew) {
				return err
			}
		}
		var err error
		if k, err = v.learn(ctx); err != nil {
			return err
		}
	}
}

// allows returns nil if a spec may be answered.
func (k *known) allows(index string, in []table.Interval, f Freshness, now time.Time) error {
	spans, err := k.touched(index, in)
	switch {
	case err != nil:
		return err
	case len(f.stale(spans, now)) > 0:
		return fmt.Errorf("%w: it was invalidated", table.ErrStale)
	case k.keys && !f.allowsAll(spans, now):
		return fmt.Errorf("%w: records of some keys were invalidated, and may be in it", table.ErrStale)
	}
	return nil
}

func (v *View[R]) learn(ctx context.Context) (*known, error) {
	note, version, err := v.of.Noted(ctx)
	if err != nil {
		return nil, err
	}
	h, err := decodeNote(note)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotCovered, err)
	}
	k := &known{h, version}
	v.known.Store(k)
	return k, nil
}

func (v *View[R]) errorf(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("view of %s: %s: %w", v.of.Name(), what, err)
}
