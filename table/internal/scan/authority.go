package scan

import (
	"context"
	"errors"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// Authority says what a Reader may believe, and keeps snapshots for it. Of an owner see Owned, of any other handle see NewShown.
type Authority interface {
	// Epoch names the owner under whom answers count now.
	Epoch() layout.Epoch
	// Position is what was done or shown last.
	Position() layout.Position
	// Shown returns what an answer to a request must not be behind if the request is sent from now on.
	Shown() Progress
	// Check returns why an answer must not be believed. since is what Shown returned before the request was sent. fetch brings the
	// lineage of the table.
	Check(ctx context.Context, a wire.Answer, since Progress, fetch fetcher) error
	// Conclude takes the last word on an answer: nil, if it is told to a caller, or what Check has returned. A loss was confirmed.
	Conclude(a wire.Answer, since Progress, verdict error)
	// Pin returns a pin, which keeps what readers see as it is. read is the view of the page that was read already: if the pin is
	// on another view, that page must be read again. Pin waits until ctx ends.
	Pin(ctx context.Context, read engine.View) (Pin, error)
	// Done returns a channel that is closed when the table ends; after that Err returns why, before that nil.
	Done() <-chan struct{}
	Err() error
}

// Progress is how far a table had come at a moment, as far as a handle knows.
type Progress struct {
	layout.Position
	burns uint64 // how many numbers were burned then
	life  uint64 // how often the handle has begun anew
}

// progressOf returns the progress at an answer's moment.
func progressOf(m wire.Moment) Progress {
	return Progress{Position: layout.Position{Epoch: m.Epoch, Seq: m.View.Seq}, burns: m.Burns}
}

// fetcher brings the lineage of a table.
type fetcher func(context.Context) (lineage, error)

// isDoubtful tells whether a verdict must be confirmed before a caller is told of it.
func isDoubtful(err error) bool {
	return errors.Is(err, engine.ErrLost) || errors.Is(err, wire.ErrNoTable)
}

// Pin keeps what readers see as it is, until it is released or expires. See *engine.Pin, which is one.
type Pin interface {
	View() engine.View
	Hurry() <-chan struct{}
	Expired() <-chan struct{}
	Err() error
	Release()
}
