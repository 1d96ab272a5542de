package mirror

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/tablecache-go/tablecache/table"
)

// Kind says what a Change is.
type Kind int

// The kinds of changes.
const (
	Enter  Kind = iota // a record is part of the answer now: After
	Update             // a record has changed, and stays part of it: Before and After
	Leave              // a record is no part of it any more: Before
	Caught             // all that was there at first has been told
)

var kinds = [...]string{"enter", "update", "leave", "caught"}

// String returns the name of the kind.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kinds) {
		return "unknown"
	}
	return kinds[k]
}

// Change is one difference between two answers to a spec. Before and After share memory with the mirror: they are not to be written to.
type Change[R any, K comparable] struct {
	Kind          Kind
	Key           K
	Before, After *R // nil where there is none
}

// Changes tells what is part of s, and then what changes: an Enter for each record that is there, in the order of s; Caught; and then,
// until ctx ends, a change for each record that enters s, changes in it, or leaves it, because of its score, of s.Recheck, or of s.Limit.
//
// It is always the difference between what the loop was told last and what the mirror shows: a loop that is slow is told the newest
// state of each record, skips what was only so in between, and misses nothing in the end; it holds nobody up. The changes of one difference
// come in no particular order. Rows with equal contents are no change: a reload that brings the same is silent, and after a fail-over, a
// reset or FLUSHALL the loop goes on with the difference. s.Recheck must depend on the record alone.
//
// A record that cannot be decoded, or whose predicate panics, yields a *CodingError, is no part of s, and the loop may go on. Any other
// error is the last thing yielded: it Is ctx.Err(), ErrClosed after Close, ErrUnknownIndex, ErrInvalidSpec (also of a spec with IfNote), or ErrIndexBuilding at the
// beginning; a loop that is on waits while its index is built. WithMaxAge does not end the
// loop: ask Age.
func (m *Mirror[R, K]) Changes(ctx context.Context, s table.Spec[R]) iter.Seq2[Change[R, K], error] {
	return func(yield func(Change[R, K], error) bool) {
		q, err := m.def.Query(s)
		if err == nil && q.Note != (table.NoteVersion{}) {
			err = fmt.Errorf("%w: a condition on the note, which changes do not take", table.ErrInvalidSpec)
		}
		if err == nil {
			w := &watcher[R, K]{mirror: m, query: q, index: s.Index, recheck: s.Recheck}
			err = w.watch(ctx, yield)
		}
		if err != nil {
			yield(Change[R, K]{}, m.errorf("changes", err))
		}
	}
}

// watcher is a loop over changes.
type watcher[R any, K comparable] struct {
	mirror  *Mirror[R, K]
	query   table.Query
	index   string
	recheck func(*R) bool
	seen    *version[R, K] // all of which was told
}

// watch tells changes. It returns nil when the loop was left.
func (w *watcher[R, K]) watch(ctx context.Context, yield func(Change[R, K], error) bool) error {
	m := w.mirror
	var failed error
	tell := func(c Change[R, K], err error) bool {
		if failed == nil && ctx.Err() != nil {
			failed = ended(ctx)
		}
		return failed == nil && yield(c, err)
	}
	if m.life.Err() != nil {
		return table.ErrClosed
	}
	w.seen = m.shown.Load()
	if why := w.seen.missing[w.index]; why != nil {
		return why
	}
	if !w.enter(tell) || !tell(Change[R, K]{Kind: Caught}, nil) {
		return failed
	}
	for {
		next, err := w.next(ctx)
		if err != nil {
			return err
		}
		d := difference[R, K]{watcher: w, from: w.seen, to: next, tell: tell}
		if !d.all() {
			return failed
		}
		w.seen = d.to
	}
}

// change tells one change of a record. It returns false if the loop was left.
func (w *watcher[R, K]) change(tell func(Change[R, K], error) bool, kind Kind, before, after *cell[R, K]) bool {
	c := Change[R, K]{Kind: kind, Before: before.shared(), After: after.shared()}
	of := after
	if of == nil {
		of = before
	}
	var err error
	if c.Key, err = w.mirror.def.DecodeKey([]byte(w.seen.rows.key(of.text))); err != nil { // it was decoded before: its codec is at fault
		return tell(Change[R, K]{}, err)
	}
	return tell(c, nil)
}

// next waits for another version that has the loop's index. That one may be built for a while is no end of the loop.
func (w *watcher[R, K]) next(ctx context.Context) (next *version[R, K], err error) {
	_, err = w.mirror.until(ctx, nil, func() bool {
		next = w.mirror.shown.Load()
		return next != w.seen && !errors.Is(next.missing[w.index], table.ErrIndexBuilding)
	})
	if err == nil {
		err = next.missing[w.index]
	}
	return next, err
}

// enter tells what is there at first.
func (w *watcher[R, K]) enter(tell func(Change[R, K], error) bool) bool {
	goesOn, left := true, w.query.Limit
	w.seen.walk(&w.query, nil, func(_ int, e *cell[R, K]) bool {
		holds, bad := w.seen.judge(&w.query, w.recheck, e)
		switch {
		case !holds:
			return true
		case bad != nil:
			goesOn = tell(Change[R, K]{}, bad)
		default:
			goesOn = w.change(tell, Enter, nil, e)
		}
		left--
		return goesOn && left != 0
	})
	return goesOn
}
