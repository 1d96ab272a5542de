package table

import (
	"context"
	"time"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// State is a state of the table's lock.
type State = engine.State

// The states of the lock.
const (
	StateClear   = engine.StateClear   // regular writes run
	StateActive  = engine.StateActive  // scratch is active: regular writes wait, but see WithWriteThrough
	StateMerging = engine.StateMerging // a merge is being folded: all writes wait
)

// Stats is what a table is doing.
type Stats struct {
	State      State
	Generation uint32 // how many merges there were
	Records    int    // merged rows
	Staged     int    // rows and tombstones that are staged, or merged and not folded yet; in a reload of everything also what was written through
	Pins       int    // long reads that writes or folds must wait for
	Mailbox    int    // writes that wait
	Owner      string // the owner's name; see WithOwner
	Position   Position
	// FeedEntries is how many effects the change feed tells of, FeedBytes about how much memory it takes: 0 if the server does not
	// tell (the user needs MEMORY USAGE).
	FeedEntries, FeedBytes int64
	// ScratchSince is when the scratch session began that is on, by the clock of the owner's process; zero if none is on.
	ScratchSince time.Time
	// Building is, for each index that is being built, the share of the records that it has: from 0 to 1.
	Building map[string]float64
	// FoldFailures is how often in a row the running fold has failed, FoldError why.
	FoldFailures int
	FoldError    error
}

// Stats returns what the table is doing: Records, Staged, Owner and the feed from Redis, the rest from memory.
func (o *owner) Stats(ctx context.Context) (Stats, error) {
	status, err := o.actor.Status(ctx)
	if err != nil {
		return Stats{}, o.base.errorf("stats", err)
	}
	st, err := o.base.stats(ctx)
	fold := o.folds.Status()
	st.State, st.Generation, st.Pins, st.Mailbox = status.View.State, status.View.Generation, status.Pins, status.Mailbox
	st.FoldFailures, st.FoldError, st.ScratchSince = fold.Failures, fold.LastErr, status.ScratchSince
	return st, o.base.errorf("stats", err)
}

// stats returns what Redis tells.
func (b *base) stats(ctx context.Context) (Stats, error) {
	held, m, err := b.reader.Stats(ctx)
	return Stats{Building: b.building(held), State: m.View.State, Generation: m.View.Generation, Records: held.Records, Staged: held.Staged, Owner: held.Owner,
		FeedEntries: held.FeedEntries, FeedBytes: held.FeedBytes, Position: b.Position()}, err
}

// building returns the share that each index has which is being built: the last ones are.
func (b *base) building(held scripts.Held) map[string]float64 {
	shares, first := make(map[string]float64), len(b.indexes)-len(held.Built)
	for i, n := range held.Built {
		if first+i >= 0 {
			shares[b.indexes[first+i]] = min(1, float64(n)/float64(max(1, held.Records)))
		}
	}
	return shares
}
