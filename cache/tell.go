package cache

import (
	"context"
	"errors"
	"slices"
	"time"

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
		if pause = tellAfter; c.noted(c.tellNow(c.ctx)) != nil {
			pause = time.Second
			c.tellSoon()
		}
	}
}

// tellNow writes what is invalid into the note, unless that says so already. It does not wait for what is only being fetched.
func (c *Cache[R, K]) tellNow(ctx context.Context) error {
	s := c.books.at.Load()
	if len(s.Spans) == 0 || s.keys == (s.keyed > 0) && slices.Equal(s.Spans, s.now.Spans) {
		return nil
	}
	ch := &change{kept: s.Spans}
	ch.Index = s.Index
	c.prepare(ch, s)
	err := c.merge(ctx, ch, func(*table.Scratch[R, K]) error { return nil })
	if errors.Is(err, errMoved) {
		c.tellSoon()
		return nil
	}
	return err
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
