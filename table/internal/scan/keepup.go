package scan

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/feed"
	"github.com/tablecache-go/tablecache/table/internal/layout"
)

// keepUp applies entries as they come. It returns after a gap, and when the table is of another line.
func (f *follower) keepUp(ctx context.Context) error {
	pause := firstFollowPause
	for {
		err := f.prove(ctx)
		if err == nil {
			pause = firstFollowPause
			err = f.waitForEntries(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return engine.Ended(ctx)
		case err == nil:
			continue
		case errors.Is(err, errCopyAnew), !f.passes(err):
			return err
		}
		if err := f.sleep(ctx, pause); err != nil { // the feed will tell what is missed meanwhile
			return err
		}
		pause = min(2*pause, mostFollowPause)
	}
}

// prove asks the table how far it is, applies entries up to there, and tells the sink.
func (f *follower) prove(ctx context.Context) error {
	asked := time.Now()
	now, err := f.tail.Position(ctx)
	if err != nil {
		return err
	}
	if err := f.applyUpTo(ctx, now); err != nil {
		return err
	}
	if f.at != f.shown { // also where an earlier attempt has applied entries before it failed
		if err := f.inStep(ctx); err != nil {
			return err
		}
	}
	return told(f.sink.Proven(asked))
}

// waitForEntries applies entries as they come, until it is time to prove again.
func (f *follower) waitForEntries(ctx context.Context) error {
	for deadline := time.Now().Add(f.ProofEvery); ; {
		left := time.Until(deadline)
		if left <= 0 {
			return nil
		}
		entries, err := f.tail.Wait(ctx, f.at, left)
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			continue
		}
		if err := f.apply(entries); err != nil {
			return err
		}
		if err := f.inStep(ctx); err != nil {
			return err
		}
	}
}

// applyUpTo applies all entries up to a position. It returns errCopyAnew if they do not lead there.
func (f *follower) applyUpTo(ctx context.Context, to layout.Position) error {
	for f.at != to {
		if f.at.Epoch == to.Epoch && f.at.Seq > to.Seq {
			return errCopyAnew // the table has gone back
		}
		entries, err := f.tail.Read(ctx, f.at, to)
		switch {
		case errors.Is(err, feed.ErrGap), err == nil && len(entries) == 0:
			return errCopyAnew
		case err != nil:
			return err
		}
		if err := f.apply(entries); err != nil {
			return err
		}
	}
	return nil
}

func (f *follower) apply(entries []feed.Entry) error {
	if feed.Link(f.at, entries) != nil {
		return errCopyAnew
	}
	for i := range entries {
		if err := f.applyOne(&entries[i]); err != nil {
			return err
		}
		f.at = entries[i].At
	}
	return nil
}

func (f *follower) applyOne(e *feed.Entry) error {
	switch e.Kind {
	case layout.KindBurn:
		f.burns++
		return nil
	case layout.KindBuilt:
		if f.lacks {
			return errCopyAnew
		}
		return nil
	case layout.KindStage, layout.KindDiscard:
		f.partial = f.partial && !e.All // nothing of what was staged before counts
		if !f.partial && !e.IsTold() {  // what the sink has been told of the session is of no use
			f.partial = true
			return told(f.sink.Apply(&feed.Entry{At: e.At, Kind: layout.KindAbort}))
		}
		if f.partial {
			return nil
		}
	case layout.KindMerge:
		if f.partial {
			return errCopyAnew
		}
	case layout.KindAbort, layout.KindClear:
		f.partial = false
	case layout.KindClaim, layout.KindReset:
		f.partial = false
		if layout.Proof(e.Schema) != f.reader.client.Layout {
			return errCopyAnew // which says what the schema is now
		}
	}
	if !e.IsTold() {
		return errCopyAnew
	}
	if err := f.sink.Apply(e); err != nil {
		if errors.Is(err, layout.ErrBody) {
			return fmt.Errorf("%w: %w", errCopyAnew, err)
		}
		return told(err)
	}
	return nil
}
