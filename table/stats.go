package table

import (
	"context"

	"github.com/tablecache-go/tablecache/engine"
)

// State is a state of the table's lock.
type State = engine.State

// The states of the lock.
const (
	StateClear   = engine.StateClear   // regular writes run
	StateActive  = engine.StateActive  // scratch is active: regular writes wait
	StateMerging = engine.StateMerging // a merge is being folded: all writes wait
)

// Stats is what a table is doing.
type Stats struct {
	State      State
	Generation uint32 // how many merges there were
	Records    int    // merged rows
	Staged     int    // rows and tombstones that are staged, or merged and not folded yet
	Pins       int    // long reads that writes or folds must wait for
	Mailbox    int    // writes that wait
	Owner      string // the owner's name; see WithOwner
	// FoldFailures is how often in a row the running fold has failed, FoldError why.
	FoldFailures int
	FoldError    error
}

// Stats returns what the table is doing: Records, Staged and Owner from Redis, the rest from memory.
func (o *owner) Stats(ctx context.Context) (Stats, error) {
	status, err := o.actor.Status(ctx)
	if err != nil {
		return Stats{}, o.base.errorf("stats", err)
	}
	fold := o.folds.Status()
	st := Stats{State: status.View.State, Generation: status.View.Generation, Pins: status.Pins, Mailbox: status.Mailbox,
		FoldFailures: fold.Failures, FoldError: fold.LastErr}
	held, err := o.base.reader.Stats(ctx)
	st.Records, st.Staged, st.Owner = held.Records, held.Staged, held.Owner
	return st, o.base.errorf("stats", err)
}
