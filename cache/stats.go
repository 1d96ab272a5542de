package cache

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/tablecache-go/tablecache/table"
)

// Stats is what a cache has done, and what of the table is how old.
type Stats struct {
	Hits      uint64 // reads that were answered from the table at once
	Misses    uint64 // reads that waited for the source, or came from it, or were not covered
	Refreshes uint64 // fetches of what was invalid, and reloads, that are shown
	Gaps      uint64 // intervals that were fetched because they were not covered

	Invalid     int           // spans that are invalid
	InvalidKeys int           // keys whose records are
	Oldest      time.Duration // since the fetch of what is oldest began; 0: nothing is covered
	Newest      time.Duration // since that of what is newest

	LastError   error     // of the source, the check or Redis; nil: none yet
	LastErrorAt time.Time // when that was
}

type counted struct {
	hits, misses, refreshes, gaps atomic.Uint64

	mu     sync.Mutex // guards what follows
	err    error
	failed time.Time
}

// Stats returns what the cache has done since New.
func (c *Cache[R, K]) Stats() Stats {
	s := c.books.at.Load()
	st := Stats{Hits: c.counted.hits.Load(), Misses: c.counted.misses.Load(), Refreshes: c.counted.refreshes.Load(),
		Gaps: c.counted.gaps.Load(), InvalidKeys: s.keyed}
	for i, span := range s.now.Spans {
		age := c.now().Sub(span.Loaded)
		if st.Oldest = max(st.Oldest, age); i == 0 || age < st.Newest {
			st.Newest = age
		}
		if span.Invalid {
			st.Invalid++
		}
	}
	c.counted.mu.Lock()
	defer c.counted.mu.Unlock()
	st.LastError, st.LastErrorAt = c.counted.err, c.counted.failed
	return st
}

// noted returns err, of which Stats and the log tell, unless nobody waits for that any more.
func (c *Cache[R, K]) noted(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, table.ErrClosed) {
		return err
	}
	c.logger.Warn("a change of the coverage has failed", zap.Error(err))
	c.counted.mu.Lock()
	defer c.counted.mu.Unlock()
	c.counted.err, c.counted.failed = err, c.now()
	return err
}

func (c *Cache[R, K]) countRead(q *question[K]) {
	if q.waited {
		c.counted.misses.Add(1)
	} else {
		c.counted.hits.Add(1)
	}
}
