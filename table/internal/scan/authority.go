package scan

import (
	"context"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
)

// Authority says what a Reader may believe, and keeps snapshots for it. The owner's is the table's actor.
type Authority interface {
	// Epoch names the owner under whom answers count.
	Epoch() layout.Epoch
	// Acked returns the number of the last effect that is known to have been applied: no later answer may be older.
	Acked() uint64
	// Pin keeps what readers see as it is. read is the view of what was read already: where the pin is on another one, that
	// must be read again. It waits until ctx ends.
	Pin(ctx context.Context, read engine.View) (Pin, error)
	// Done is closed when reading ends; Err returns why, nil before.
	Done() <-chan struct{}
	Err() error
	// FoundBroken is told ErrFenced or ErrLost, wrapped or not, where a read has proven it. It does not wait for Redis.
	FoundBroken(err error)
}

// Pin keeps what readers see as it is, until it is released or expires. *engine.Pin is one; see there.
type Pin interface {
	View() engine.View
	Hurry() <-chan struct{}
	Expired() <-chan struct{}
	Err() error
	Release()
}
