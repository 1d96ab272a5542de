package scan

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// Owner is the table's actor, as reads of its owner see it.
type Owner interface {
	// Acked returns the number of the last effect that is known to be applied. An answer to a later request must not be older.
	Acked() uint64
	// Pin is that of an Authority.
	Pin(ctx context.Context, read engine.View) (Pin, error)
	Done() <-chan struct{}
	Err() error
	// FoundBroken tells the owner that a read has proven ErrFenced or ErrLost, wrapped or not. It does not wait for Redis.
	FoundBroken(err error)
}

// owned is the authority of an owner: answers count under its own epoch alone.
type owned struct {
	Owner
	epoch layout.Epoch
	read  atomic.Uint64 // the highest number of an answer
}

// Owned returns the authority of the owner that an epoch names.
func Owned(o Owner, epoch layout.Epoch) Authority { return &owned{Owner: o, epoch: epoch} }

func (o *owned) Epoch() layout.Epoch { return o.epoch }

// Position may be ahead of what is acknowledged: a read may have shown an effect whose answer has not come yet.
func (o *owned) Position() layout.Position {
	return layout.Position{Epoch: o.epoch, Seq: max(o.Acked(), o.read.Load())}
}

func (o *owned) Shown() Progress {
	return Progress{Position: layout.Position{Epoch: o.epoch, Seq: o.Acked()}}
}

func (o *owned) Check(_ context.Context, a wire.Answer, since Progress, _ fetcher) error {
	switch {
	case a.Epoch != "" && a.Epoch != o.epoch:
		return wire.Ownership(o.epoch, a.Epoch)
	case a.Epoch == o.epoch && a.View.Seq < since.Seq:
		return fmt.Errorf("%w: it went back before an acknowledged write", engine.ErrLost)
	}
	return a.Err(o.epoch)
}

// Conclude ends the table if it has another owner, has gone back, or has no truth. Other losses may be repaired.
func (o *owned) Conclude(a wire.Answer, since Progress, verdict error) {
	switch {
	case verdict == nil:
		o.note(a.View.Seq)
	case errors.Is(verdict, engine.ErrFenced), errors.Is(verdict, engine.ErrLost) && !o.isPresent(a, since):
		o.FoundBroken(verdict)
	}
}

// isPresent tells whether an answer is of this owner's table and not older than what was acknowledged.
func (o *owned) isPresent(a wire.Answer, since Progress) bool {
	return a.Epoch == o.epoch && a.View.Seq >= since.Seq
}

func (o *owned) note(seq uint64) {
	for before := o.read.Load(); before < seq && !o.read.CompareAndSwap(before, seq); before = o.read.Load() {
	}
}
