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
	// FoldFailures is how often in a row the running fold has failed, FoldError why.
	FoldFailures int
	FoldError    error
}

// Stats returns what the table is doing: Records and Staged from Redis, the rest from memory.
func (t *Table[R, K]) Stats(ctx context.Context) (Stats, error) {
	st, err := t.stats(ctx)
	return st, t.errorf("stats", err)
}

func (t *Table[R, K]) stats(ctx context.Context) (Stats, error) {
	status, err := t.actor.Status(ctx)
	if err != nil {
		return Stats{}, err
	}
	fold := t.folds.status()
	st := Stats{State: status.View.State, Generation: status.View.Generation, Pins: status.Pins, Mailbox: status.Mailbox,
		FoldFailures: fold.Failures, FoldError: fold.LastErr}
	acked := t.actor.Acked()
	a, err := t.reader.ask(ctx, t.wire.command(&t.wire.scripts.stats, 0))
	if err == nil {
		err = t.check(a, acked)
	}
	if err != nil {
		return st, err
	}
	st.Records, st.Staged = a.rest.integer(), a.rest.integer()
	return st, a.rest.err
}
