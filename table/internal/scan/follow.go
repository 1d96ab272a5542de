package scan

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/feed"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// Sink is told what a table holds and what happens to it. See table.Follower, which says what each call means. An error that it
// returns ends Follow.
type Sink interface {
	BeginCopy() error
	Note(at layout.Position, note []byte) error
	Copied(*CopiedRows) error
	Apply(*feed.Entry) error
	InStep(layout.Position) error
	Proven(time.Time) error
}

// CopiedRows are rows of a copy. Scores has a list for each index that is complete: the first ones.
type CopiedRows struct {
	Keys, Rows [][]byte
	Scores     [][][]byte
}

// ErrNoFeed: the table's owner keeps no feed.
var ErrNoFeed = errors.New("tablecache: the table has no change feed")

// Pauses between attempts to copy or to ask again double from the first to the most; each lasts between half and one and a half of that,
// so that followers that have lost the feed at the same moment do not copy at the same moment.
const (
	firstFollowPause = 20 * time.Millisecond
	mostFollowPause  = 2 * time.Second
)

// Following says how a table is followed.
type Following struct {
	Indexes    int           // how many the table has
	ProofEvery time.Duration // how often at least the table is asked how far it is, so that the sink is told what that proves
	Awaited    bool          // there is to be a table, so that it is waited for
}

// Follow copies the table to the sink, and then tells it every effect, until ctx ends or there is an error that waiting cannot cure.
func (r *Reader) Follow(ctx context.Context, how Following, sink Sink) error {
	f := &follower{reader: r, tail: feed.NewTail(r.client), Following: how, sink: sink}
	defer f.tail.Close()
	pause := firstFollowPause
	for {
		err := f.copy(ctx)
		if err == nil {
			pause = firstFollowPause
			err = f.keepUp(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return engine.Ended(ctx)
		case !f.passes(err):
			return err
		}
		f.tail.Reconnect()
		if err := f.sleep(ctx, pause); err != nil {
			return err
		}
		pause = min(2*pause, mostFollowPause)
	}
}

// follower follows one table.
type follower struct {
	reader *Reader
	tail   *feed.Tail
	Following
	sink    Sink
	at      layout.Position // all entries up to here have been applied
	shown   layout.Position // the sink was in step here last
	burns   uint64          // how many numbers were burned up to there
	lacks   bool            // the sink was told rows without all scores, as indexes were being built
	partial bool            // a scratch session is on of which the sink has not been told all
}

// sinkError is an error that the sink has returned.
type sinkError struct{ error }

func (e sinkError) Unwrap() error { return e.error }

func told(err error) error {
	if err != nil {
		return sinkError{err}
	}
	return nil
}

// passes tells whether to go on after an error. A table that was there once will be again.
func (f *follower) passes(err error) bool {
	switch {
	case errors.As(err, new(sinkError)), errors.Is(err, ErrNoFeed), errors.Is(err, engine.ErrClosed), wire.Lasts(err), errors.Is(err, wire.ErrSchemaMismatch):
		return false
	case errors.Is(err, wire.ErrNoTable):
		return f.Awaited
	}
	return true
}

// sleep waits for about d. It returns an error when ctx ends.
func (f *follower) sleep(ctx context.Context, d time.Duration) error {
	if f.reader.client.Pause(ctx, d) != nil {
		return engine.Ended(ctx)
	}
	return nil
}

// copy copies all rows, page by page, each page at its own moment. After each page it applies the entries up to that moment, and not
// beyond it: so the last thing that the sink is told of a key is always the latest.
func (f *follower) copy(ctx context.Context) error {
	q := pageQuery{Query: Query{Scope: scripts.Merged, Bounds: []layout.Bound{layout.BoundOf(math.Inf(-1), math.Inf(1))}}, scored: true}
	q.at = cursor{bounds: q.Bounds}
	if keeps, err := f.tail.OwnerKeepsFeed(ctx); err != nil {
		return err
	} else if !keeps {
		return ErrNoFeed
	}
	if err := f.beginCopy(ctx); err != nil {
		return err
	}
	for {
		page, err := f.reader.page(ctx, q)
		if err != nil {
			return err
		}
		if err := f.copyPage(ctx, page); err != nil {
			return err
		}
		if page.Final {
			f.Awaited = true
			return f.inStep(ctx)
		}
		q.at = page.next
	}
}

// beginCopy reads the note. All that happens from that moment on is told by the feed.
func (f *follower) beginCopy(ctx context.Context) error {
	note, m, err := f.reader.Note(ctx)
	if err != nil {
		return err
	}
	f.at, f.burns, f.partial = positionOf(m), m.Burns, m.View.State == engine.StateActive
	f.shown, f.lacks = layout.Position{}, false
	if err := told(f.sink.BeginCopy()); err != nil {
		return err
	}
	return told(f.sink.Note(f.at, note))
}

// inStep tells the sink that it is in step, and the authority what is shown: no later copy may go back behind that. Under another owner
// the authority asks for the lineage first.
func (f *follower) inStep(ctx context.Context) error {
	now := wire.Moment{Epoch: f.at.Epoch, View: engine.View{Seq: f.at.Seq}, Burns: f.burns}
	a, answer := f.reader.authority, wire.Answer{Status: wire.StatusOK, Moment: now}
	if since := a.Shown(); a.Check(ctx, answer, since, f.reader.batcher.lineage) == nil {
		a.Conclude(answer, since, nil)
	}
	f.shown = f.at
	return told(f.sink.InStep(f.at))
}

// copyPage tells the sink of the rows of a page, and applies the entries up to the moment at which their scores were read.
func (f *follower) copyPage(ctx context.Context, page *Page) error {
	rows, at := &CopiedRows{Keys: page.Keys, Rows: page.Rows, Scores: [][][]byte{page.Scores}}, positionOf(page.Moment)
	if f.Indexes > 1 && len(page.Keys) > 0 {
		a, err := f.reader.answer(ctx, request{call: scripts.Scores(f.reader.client, 0, page.Keys)})
		if err != nil {
			return err
		}
		others, err := scripts.ReadScores(&a.Answer)
		if err != nil {
			return err
		}
		rows.Scores, at = append(rows.Scores, others...), positionOf(a.Moment)
		f.lacks = f.lacks || len(rows.Scores) < f.Indexes
		rows.dropVanished()
	}
	if err := told(f.sink.Copied(rows)); err != nil {
		return err
	}
	return f.applyUpTo(ctx, at)
}

// dropVanished drops the rows that were deleted between the page and their scores. The feed tells of them, too.
func (c *CopiedRows) dropVanished() {
	kept := 0
	for i := range c.Keys {
		there := true
		for _, scores := range c.Scores {
			there = there && i < len(scores) && len(scores[i]) > 0
		}
		if !there {
			continue
		}
		c.Keys[kept], c.Rows[kept] = c.Keys[i], c.Rows[i]
		for _, scores := range c.Scores {
			scores[kept] = scores[i]
		}
		kept++
	}
	c.Keys, c.Rows = c.Keys[:kept], c.Rows[:kept]
}
