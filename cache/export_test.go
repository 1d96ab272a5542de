package cache

import (
	"context"

	"github.com/tablecache-go/tablecache/table"
)

// TableOf returns the table of a cache.
func TableOf[R any, K comparable](c *Cache[R, K]) *table.Table[R, K] { return c.table }

// SpoolOnly bounds what is fetched before anything is staged, until what it returns is called.
func (c *Cache[R, K]) SpoolOnly(bytes int) { c.spooled = bytes }

// Waiting returns how many callers wait for changes of what is held, and for reads of the source.
func (c *Cache[R, K]) Waiting() int { return waiting(&c.changes) + waiting(&c.throughs) }

func waiting[V any](g *flights[V]) (n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, f := range g.flying {
		n += f.waiting
	}
	return n
}

// Tell writes what is invalid into the note.
func (c *Cache[R, K]) Tell(ctx context.Context) error { return c.tellNow(ctx) }
