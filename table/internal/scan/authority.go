package scan

import (
	"context"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
)

// Authority says what a Reader may believe, and keeps snapshots for it. It is the table's actor.
type Authority interface {
	// Epoch names the owner under whom answers count.
	Epoch() layout.Epoch
	// Acked returns the number of the last effect that is known to be applied. An answer to a later request must not be older.
	Acked() uint64
	// Pin returns a pin, which keeps what readers see as it is. read is the view of the page that was read already: if the pin is
	// on another view, that page must be read again. Pin waits until ctx ends.
	Pin(ctx context.Context, read engine.View) (Pin, error)
	// Done returns a channel that is closed when the table ends; after that Err returns why, before that nil.
	Done() <-chan struct{}
	Err() error
	// FoundBroken tells the authority that a read has proven ErrFenced or ErrLost, wrapped or not. It does not wait for Redis.
	FoundBroken(err error)
}

// Pin keeps what readers see as it is, until it is released or expires. See *engine.Pin, which is one.
type Pin interface {
	View() engine.View
	Hurry() <-chan struct{}
	Expired() <-chan struct{}
	Err() error
	Release()
}
