package cache

import (
	"context"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/tablecache-go/tablecache/table"
)

// tellAfter is for how long something is invalid before others are told: most is fetched sooner than that.
const tellAfter = 50 * time.Millisecond

// tellSoon has the note told what is invalid.
func (c *Cache[R, K]) tellSoon() {
	select {
	case c.untold <- struct{}{}:
	default:
	}
}

// tell writes into the note, for views, what is invalid, until the cache or the table ends.
func (c *Cache[R, K]) tell() {
	for pause := tellAfter; ; {
		select {
		case <-c.untold:
		case <-c.table.Done():
			return
		case <-c.ctx.Done():
			return
		}
		if !sleep(c.ctx, pause) {
			return
		}
		if pause = tellAfter; c.noted(c.planned(c.ctx, c.tellNow)) != nil {
			pause = time.Second
			c.tellSoon()
		}
	}
}

func (c *Cache[R, K]) tellNow(ctx context.Context, s *state) error {
	if len(s.Spans) == 0 || s.keys == (s.keyed > 0) && slices.EqualFunc(s.Spans, s.now.Spans, sameSpan) {
		return nil
	}
	ch := &change{kept: s.Spans}
	ch.Index = s.Index
	c.books.prepare(ch, c.now())
	if err := c.table.Apply(ctx, table.Batch[R, K]{Note: c.books.note(ch)}); err != nil {
		c.giveUp(err)
		return err
	}
	if err := c.learn(ctx, s.version); err != nil {
		c.books.doubt()
		return err
	}
	return nil
}

func sameSpan(a, b Span) bool {
	return a.Interval == b.Interval && a.Invalid == b.Invalid && a.Loaded.Equal(b.Loaded)
}

// sleep waits for d. It returns false if ctx has ended.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// logError says of an error what may be logged.
func logError(err error) zap.Field { return zap.Error(err) }
