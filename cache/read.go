package cache

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/tablecache-go/tablecache/table"
)

// Records returns the records of s, of one moment, as Records of a table.Table does. What of them is older than f allows is fetched anew
// first: Records waits for that, and for a change of the coverage that is under way, until ctx ends; for nothing else. If the source
// fails, so does Records (ErrSource); what is there can still be read with MaxStale and AsIs.
//
// What is not covered is ErrNotCovered, also AsIs: a spec of which a part is not, and one of another index than the one that is covered,
// unless everything is. WithReadThrough brings all of it from the source instead.
func (c *Cache[R, K]) Records(ctx context.Context, s table.Spec[R], f Freshness) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		err := c.read(ctx, s, f, func(v table.NoteVersion) error {
			return passOn(c.table.Records(ctx, s.IfNote(v)), yield)
		}, func(records []R) error {
			return passOn(each(records), yield)
		})
		if err != nil {
			var none R
			yield(none, c.errorf("read", err))
		}
	}
}

// First returns the first record of s, or table.ErrNotFound. It waits, and fails, as Records does.
func (c *Cache[R, K]) First(ctx context.Context, s table.Spec[R], f Freshness) (R, error) {
	if s.Limit >= 0 { // a negative one is refused
		s.Limit = 1
	}
	for r, err := range c.Records(ctx, s, f) {
		return r, err
	}
	var none R
	return none, c.errorf("first", table.ErrNotFound)
}

// Count returns how many records s has. It waits, and fails, as Records does.
func (c *Cache[R, K]) Count(ctx context.Context, s table.Spec[R], f Freshness) (n int, err error) {
	err = c.read(ctx, s, f, func(v table.NoteVersion) error {
		n, err = c.table.Count(ctx, s.IfNote(v))
		return err
	}, func(records []R) error {
		n = len(records)
		return nil
	})
	return n, c.errorf("count", err)
}

// read answers a spec from the table, tied to the note that says that it may; or else from the source, if that is allowed.
func (c *Cache[R, K]) read(ctx context.Context, s table.Spec[R], f Freshness, held func(table.NoteVersion) error, through func([]R) error) error {
	if s.Note != (table.NoteVersion{}) {
		return errCondition
	}
	q := c.newQuestion(f)
	q.index, q.in = s.Index, s.Intervals
	for {
		if c.ctx.Err() != nil {
			return table.ErrClosed // who would tell it what is invalid?
		}
		now := c.books.at.Load()
		fresh, err := c.freshen(ctx, now, &q)
		switch {
		case err == ErrNotCovered && len(c.books.inDoubt()) > 0: // errors of the source are more than that
			err = c.settle(ctx)
		case err == ErrNotCovered:
			return c.readThrough(ctx, s, through)
		case fresh:
			err = held(now.version)
			if errors.Is(err, table.ErrNoteChanged) {
				err = c.learnBehind(ctx, now.version)
				break
			}
			c.countRead(&q)
			return err
		}
		if err != nil {
			return err
		}
	}
}

// errCondition: a read here has a condition on the note already.
var errCondition = fmt.Errorf("%w: a condition on the note", table.ErrInvalidSpec)

// passOn yields what a read yields. If it has to be begun again, passOn returns table.ErrNoteChanged, and has yielded nothing.
func passOn[R any](records iter.Seq2[R, error], yield func(R, error) bool) error {
	p := passing[R]{yield: yield}
	records(p.on)
	return p.changed
}

// passing is what passOn does. A loop over the records would do the same, and allocate twice as much.
type passing[R any] struct {
	yield   func(R, error) bool
	begun   bool
	changed error
}

func (p *passing[R]) on(r R, err error) bool {
	if !p.begun && errors.Is(err, table.ErrNoteChanged) {
		p.changed = err
		return false
	}
	p.begun = true
	return p.yield(r, err)
}

// each yields records.
func each[R any](records []R) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		for _, r := range records {
			if !yield(r, nil) {
				return
			}
		}
	}
}
