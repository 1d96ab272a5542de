package scan

import (
	"context"
	"errors"
	"fmt"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/feed"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// A reader that is not the owner cannot have a snapshot pinned. It copies what it is asked for (fuzzy copy and redo): it reads pages
// at whatever moments they come. When readers have come to see something else since the page before, it reads the feed up to the new
// page's moment, so that it never falls behind by more than one page. In the end the copy is the table at the last page's moment.

// errNoMemory: the copy does not fit the memory that is left.
var errNoMemory = errors.New("tablecache: no memory for a copy")

const (
	mostCopies  = 2 // how often a copy is begun
	mostGuarded = 3 // how often guarded pages are begun
)

// copying is a copy being made.
type copying struct {
	*copied
	reader  *Reader
	asked   pageQuery
	seen    wire.Moment // of the last answer
	begun   wire.Moment // of the first
	entries int         // how many entries to ask for
	memory  share
	enough  func([]*Page) bool
	answer  []*Page // what is copied so far, if it is enough
}

// readCopied reads a table that moves. It makes use of the first page even if that is a little older.
func (r *Reader) readCopied(ctx context.Context, q pageQuery, first *Page, enough func([]*Page) bool, each func(*Page) error) error {
	var why error
	for copies := 0; copies < mostCopies && !errors.Is(why, errNoMemory); copies++ {
		c := r.newCopying(q, first)
		c.enough = enough
		if why = c.fill(ctx); c.isOfOneMoment(why) {
			return c.deliver(ctx, each)
		}
		c.memory.release()
		if !mayBeginAgain(why) {
			return why
		}
		var err error
		if first, err = r.page(ctx, q); err != nil {
			return err
		}
	}
	return r.readGuarded(ctx, q, first, why, each)
}

// isOfOneMoment tells whether what was copied may be used after fill has returned err: all of it, or its beginning if the rest finds
// no memory.
func (c *copying) isOfOneMoment(err error) bool {
	return err == nil || errors.Is(err, errNoMemory) && len(c.pages) > 1 && sameRows(c.begun, c.seen)
}

// mayBeginAgain tells whether err only says that a copy could not be completed.
func mayBeginAgain(err error) bool {
	return errors.Is(err, errCopyAnew) || errors.Is(err, feed.ErrGap) || errors.Is(err, layout.ErrBody) || errors.Is(err, errNoMemory)
}

func (r *Reader) newCopying(q pageQuery, first *Page) *copying {
	q.most, q.scored = 0, true
	return &copying{copied: newCopied(q.Query, len(r.client.Keys.Merged), r.client.Layout, first), reader: r, asked: q,
		seen: first.Moment, begun: first.Moment, entries: firstEntries, memory: share{budget: r.memory}}
}

// fill reads until the copy has all that is asked for.
func (c *copying) fill(ctx context.Context) error {
	err := c.charge()
	for err == nil && !c.isComplete() {
		c.asked.at = c.next
		var p *Page
		if p, err = c.reader.page(ctx, c.asked); err != nil {
			return err
		}
		c.add(p)
		if err = c.keepUp(ctx, p.Moment); err == nil {
			err = c.maybeAnswer()
		}
	}
	return err
}

// maybeAnswer looks whether what is copied so far, as it stands at the last page's moment, is enough. If there are changes it does so
// each time that the copy has doubled, for all of it is judged then.
func (c *copying) maybeAnswer() error {
	if n := len(c.pages); len(c.changes) > 0 && n&(n-1) != 0 {
		return nil
	}
	whole, err := c.whole()
	if err == nil && len(whole) > 0 && c.enough(whole) {
		c.answer = whole
	}
	return err
}

func (c *copying) isComplete() bool {
	return c.final || c.answer != nil || c.query.Limit > 0 && c.hasRows(c.query.Limit)
}

// keepUp brings the copy to a moment, if readers see something else then than before.
func (c *copying) keepUp(ctx context.Context, m wire.Moment) error {
	same := sameRows(c.seen, m)
	c.seen = m
	if same {
		return c.charge()
	}
	if err := c.scoreFirst(ctx); err != nil {
		return err
	}
	return c.redo(ctx, positionOf(c.seen))
}

// scoreFirst looks up the scores of the first page, which was read without, and which most reads do without. A key that has moved
// or gone meanwhile has an entry that says so.
func (c *copying) scoreFirst(ctx context.Context) error {
	p := c.pages[0]
	if p == nil || len(p.Keys) == 0 || len(p.Scores) > 0 {
		return nil
	}
	keys := make([]engine.Bytes, len(p.Keys))
	for i, key := range p.Keys {
		keys[i] = engine.Bytes(key)
	}
	found, m, err := c.reader.Find(ctx, scripts.Merged, c.query.Index, keys)
	if err != nil {
		return err
	}
	c.seen, p.Scores = m, make([][]byte, len(found))
	c.bytes -= p.size()
	for i := range found {
		if p.Scores[i] = found[i].Score; len(found[i].Score) == 0 {
			c.set(string(p.Keys[i]), change{pages: 1})
		}
	}
	c.bytes += p.size()
	return nil
}

// redo applies the entries up to a position.
func (c *copying) redo(ctx context.Context, through layout.Position) error {
	for c.at != through {
		entries, err := c.readFeed(ctx, through)
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			return errCopyAnew // there is no feed, or it is another line's
		}
		for i := range entries {
			if err := c.apply(&entries[i]); err != nil {
				return err
			}
		}
		if err := c.charge(); err != nil {
			return err
		}
	}
	return c.charge()
}

// readFeed returns the entries that follow up to a position, some at a time.
func (c *copying) readFeed(ctx context.Context, through layout.Position) ([]feed.Entry, error) {
	call := feed.Range(&c.reader.client.Keys.Feed, c.at, through, c.entries)
	a, err := c.reader.batcher.put(ctx, request{commands: [][]any{call}})
	if errors.Is(err, wire.ErrTooLarge) {
		if c.entries == 1 {
			return nil, errCopyAnew
		}
		c.entries = 1
		return c.readFeed(ctx, through)
	}
	if err != nil {
		return nil, err
	}
	entries, err := feed.ReadEntries(a.raw[0])
	if err != nil {
		return nil, err
	}
	c.entries = nextEntries(c.entries, len(a.raw[0]), c.reader.sizes().page)
	return entries, feed.Link(c.at, entries)
}

// charge makes what is taken of the memory what the copy has.
func (c *copying) charge() error {
	more := c.bytes - c.memory.taken
	if more <= 0 {
		c.memory.free(-more)
	} else if !c.memory.take(more) {
		return errNoMemory
	}
	return nil
}

// deliver calls each with what was copied, and with guarded pages of what was not.
func (c *copying) deliver(ctx context.Context, each func(*Page) error) error {
	defer c.memory.release() // also when each panics
	complete := c.isComplete()
	tell := func(p *Page) error {
		if err := c.reader.Alive(ctx); err != nil {
			return err
		}
		p.Moment, p.Scores = c.seen, nil
		return each(p)
	}
	if c.answer != nil {
		return eachOf(c.answer, tell)
	}
	err := c.arrange(tell, c.memory.free)
	if err != nil || complete {
		return err
	}
	c.memory.release()
	return c.reader.goOnGuarded(ctx, c.asked, &Page{Moment: c.seen, next: c.next}, errNoMemory, each)
}

// readGuarded calls each with pages as they come, and fails if a page is of a moment at which readers saw something else than at
// first. Up to its second page it may begin again.
func (r *Reader) readGuarded(ctx context.Context, q pageQuery, first *Page, why error, each func(*Page) error) error {
	later := q
	later.most, later.scored = 0, true
	for range mostGuarded {
		if first.Final || q.Limit > 0 && len(first.Keys) >= q.Limit {
			return each(first)
		}
		later.at = first.next
		second, err := r.page(ctx, later)
		if err != nil {
			return err
		}
		if sameRows(first.Moment, second.Moment) {
			if err := each(first); err != nil {
				return err
			}
			if err := each(second); err != nil {
				return err
			}
			return r.goOnGuarded(ctx, later, second, why, each)
		}
		if first, err = r.page(ctx, q); err != nil {
			return err
		}
	}
	return expired(why)
}

// goOnGuarded calls each with all pages behind one.
func (r *Reader) goOnGuarded(ctx context.Context, q pageQuery, p *Page, why error, each func(*Page) error) error {
	begun := p.Moment
	for !p.Final {
		q.at = p.next
		var err error
		if p, err = r.page(ctx, q); err != nil {
			return err
		}
		if !sameRows(begun, p.Moment) {
			return expired(why)
		}
		if err := each(p); err != nil {
			return err
		}
	}
	return nil
}

// expired says why a long read could not be made whole, and what helps.
func expired(why error) error {
	reason := "its feed does not tell how (a larger WithFeed of the owner helps, or Follow)"
	if errors.Is(why, errNoMemory) {
		reason = "what is asked for does not fit the memory (a larger WithSnapshotMemory helps, or Follow)"
	}
	return fmt.Errorf("%w: the table has changed during a long read, and %s", engine.ErrSnapshotExpired, reason)
}

// sameRows tells whether readers saw the same at both moments. A fold changes nothing of what they see, and staging neither.
func sameRows(a, b wire.Moment) bool {
	return a.Epoch == b.Epoch && a.View.Generation == b.View.Generation && a.View.Version == b.View.Version
}

func positionOf(m wire.Moment) layout.Position {
	return layout.Position{Epoch: m.Epoch, Seq: m.View.Seq}
}
