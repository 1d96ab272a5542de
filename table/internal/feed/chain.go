package feed

import (
	"errors"

	"github.com/tablecache-go/tablecache/table/internal/layout"
)

// ErrGap: entries are missing, or are of another line. Whoever follows the feed must take a new copy.
var ErrGap = errors.New("tablecache: the change feed has a gap")

// Link returns nil if the entries follow each other from a position on, and ErrGap if one does not stand on its predecessor.
func Link(from layout.Position, entries []Entry) error {
	for i := range entries {
		if entries[i].Previous != from {
			return ErrGap
		}
		from = entries[i].At
	}
	return nil
}
