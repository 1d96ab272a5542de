package cache

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"go.uber.org/zap"

	"github.com/tablecache-go/tablecache/table"
)

// Cover makes the table hold all records of the source whose score in the index lies in one of the intervals, and no others: what is not
// covered yet is fetched, what is outside goes, in one merge, so that readers see either what they saw before or all of the new coverage.
// What was covered before and is still wanted stays as it is; what of it is invalid stays invalid. If another index was covered
// before, all is fetched anew. Without intervals nothing is covered.
//
// Up to 64 MiB are fetched before anything is staged, so that a source that fails, or is slow, holds up no writes. Cover waits for
// another change of the coverage that is under way, for the source, for a scratch session of somebody else and for the fold, until ctx ends. A call for the same
// coverage that is under way is joined, if nothing was invalidated since it began. After an error nothing has changed, unless it Is
// table.ErrUnknownOutcome, or that of ctx: then the coverage may still change soon, because others wait for the same or since the merge
// was under way. The errors are table.ErrUnknownIndex, table.ErrInvalidSpec, ErrSource, ErrRefused, table.ErrClosed and those of
// a table.Scratch.
func (c *Cache[R, K]) Cover(ctx context.Context, index string, in ...table.Interval) error {
	if err := c.checkSpec(index, in); err != nil {
		return c.errorf("cover", err)
	}
	target := setOf(in...)
	return c.errorf("cover", c.change(ctx, flightName("cover", index, target), func(ctx context.Context, s *state) error {
		return c.cover(ctx, s, index, target)
	}))
}

func (c *Cache[R, K]) cover(ctx context.Context, s *state, index string, target []table.Interval) error {
	ch := &change{}
	ch.Index, ch.fetched = index, target
	if s.Index == index {
		ch.kept, ch.fetched = inside(s.Spans, target), without(target, s.intervals())
	}
	ch.anew = len(ch.kept) == 0
	if s.Index == index && len(ch.fetched) == 0 && slices.Equal(target, s.intervals()) {
		return nil
	}
	if err := c.bring(ctx, s, ch); err != nil {
		return err
	}
	c.counted.gaps.Add(uint64(len(ch.fetched)))
	return nil
}

// Reload fetches all that is covered anew, and shows it in one merge. It waits, and fails, as Cover does; but a reload that has begun
// to fetch is not joined. If nothing is covered it does nothing.
func (c *Cache[R, K]) Reload(ctx context.Context) error {
	name := "reload " + strconv.FormatUint(c.reloads.Load(), 10)
	return c.errorf("reload", c.change(ctx, name, func(ctx context.Context, s *state) error {
		c.reloads.Add(1)
		if len(s.Spans) == 0 {
			return nil
		}
		ch := &change{fetched: s.intervals(), anew: true}
		ch.Index = s.Index
		if err := c.bring(ctx, s, ch); err != nil {
			return err
		}
		c.counted.refreshes.Add(1)
		return nil
	}))
}

// change changes what is held, after the changes that came before. Callers of the same change share it, if nothing was invalidated
// since it began.
func (c *Cache[R, K]) change(ctx context.Context, name string, do func(context.Context, *state) error) error {
	return c.changeSince(ctx, c.books.number(), name, do)
}

// changeSince is change, for callers for whom only the invalidations up to a number count.
func (c *Cache[R, K]) changeSince(ctx context.Context, number uint64, name string, do func(context.Context, *state) error) error {
	_, err := c.changes.do(ctx, since(number, name), func(ctx context.Context) (struct{}, error) {
		return struct{}{}, c.noted(c.planned(ctx, do))
	})
	return err
}

// planned calls do with what is held. Nothing but Clear, or a stranger, changes that meanwhile; then it is done again.
func (c *Cache[R, K]) planned(ctx context.Context, do func(context.Context, *state) error) error {
	if err := c.plan.Acquire(ctx, 1); err != nil {
		return ended(ctx)
	}
	defer c.plan.Release(1)
	for {
		if err := c.catchUp(ctx); err != nil {
			return err
		}
		if err := do(ctx, c.books.at.Load()); !errors.Is(err, errMoved) {
			return err
		}
	}
}

// settle waits until it is known what is held.
func (c *Cache[R, K]) settle(ctx context.Context) error {
	return c.change(ctx, "settle", func(context.Context, *state) error { return nil })
}

// catchUp takes in what the note says. Of changes in doubt it finds out first whether they were merged.
func (c *Cache[R, K]) catchUp(ctx context.Context) error {
	doubtful := c.books.inDoubt()
	if len(doubtful) > 0 { // a session begins only after the fate of what came before is known
		session, err := c.table.Scratch(ctx)
		if err != nil {
			return err
		}
		if err := session.Abort(ctx); err != nil {
			return err
		}
	}
	return c.learnFate(ctx, doubtful)
}

// learnFate is learn, in or after a session that has begun since some changes were in doubt: they are merged now, or never will be.
func (c *Cache[R, K]) learnFate(ctx context.Context, doubtful []*change) error {
	if err := c.learn(ctx); err != nil {
		return err
	}
	for _, ch := range doubtful {
		c.books.drop(ch)
	}
	return nil
}

// learn takes in what the note says now. A note that is not ours says that nothing is held.
func (c *Cache[R, K]) learn(ctx context.Context) error {
	if err := c.learning.Acquire(ctx, 1); err != nil { // what is read later is learned later
		return ended(ctx)
	}
	defer c.learning.Release(1)
	return c.learnNext(ctx)
}

// learnBehind takes in what the note says, unless somebody has since its version was seen: who has been told that it has changed asks again anyway.
func (c *Cache[R, K]) learnBehind(ctx context.Context, seen table.NoteVersion) error {
	if err := c.learning.Acquire(ctx, 1); err != nil {
		return ended(ctx)
	}
	defer c.learning.Release(1)
	if c.books.at.Load().version != seen {
		return nil
	}
	return c.learnNext(ctx)
}

func (c *Cache[R, K]) learnNext(ctx context.Context) error {
	h, v, err := c.readNote(ctx)
	if err != nil {
		return err
	}
	c.books.learn(h, v)
	return nil
}

// readNote returns what the note says now.
func (c *Cache[R, K]) readNote(ctx context.Context) (held, table.NoteVersion, error) {
	note, v, err := c.table.Noted(ctx)
	if err != nil {
		return held{}, v, err
	}
	h, err := decodeNote(note)
	if err != nil {
		c.logger.Warn("nothing is covered", zap.Error(err))
	}
	return h.under(c.def.Fingerprint(h.Index)), v, nil
}
