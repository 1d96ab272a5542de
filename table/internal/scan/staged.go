package scan

import (
	"context"

	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// countTries is how often CountStaged begins again before it takes a count that others have disturbed.
const countTries = 5

// CountStaged returns how many rows a merge now would show. It asks for bounded steps, in which the server goes through what is staged.
// If the table stays as it is meanwhile the count is exact. Else it is made anew, up to a few times; after that it is off by no more
// than what was written during the last attempt.
func (r *Reader) CountStaged(ctx context.Context) (int, error) {
	for tries := 1; ; tries++ {
		c := stagedCount{last: tries == countTries}
		err := c.count(ctx, r)
		if err != nil || c.last || !c.disturbed() {
			return max(0, c.Records-c.hidden+c.Shadow), err
		}
	}
}

// stagedCount is one attempt.
type stagedCount struct {
	scripts.Overlapping                 // of the latest step
	at                  layout.Position // of the first step
	seen, hidden        int
	moved               bool // the table is not as it was at the first step
	last                bool // nothing is made anew
}

func (c *stagedCount) count(ctx context.Context, r *Reader) error {
	c.Cursor = scripts.OverlapBegin
	for {
		a, err := r.runScript(ctx, scripts.Overlap(r.client, c.Cursor))
		if err != nil {
			return err
		}
		if c.Overlapping, err = scripts.ReadOverlap(&a); err != nil {
			return err
		}
		c.add(positionOf(a.Moment))
		if c.Cursor == scripts.OverlapBegin || c.moved && !c.last {
			return nil
		}
	}
}

func (c *stagedCount) add(at layout.Position) {
	if c.at == (layout.Position{}) {
		c.at = at
	}
	c.moved = c.moved || at != c.at
	c.seen, c.hidden = c.seen+c.Seen, c.hidden+c.Hidden
}

// disturbed tells whether the count may be wrong: the table has moved, or something was seen twice.
func (c *stagedCount) disturbed() bool { return c.moved || c.seen != c.Staged }
