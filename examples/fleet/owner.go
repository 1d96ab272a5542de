package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/tablecache-go/tablecache/examples/internal/connect"
	"github.com/tablecache-go/tablecache/examples/internal/flightdata"
	"github.com/tablecache-go/tablecache/table"
)

// Between its changes the owner pauses; after some it reloads everything.
const (
	pause           = 5 * time.Millisecond
	changesToReload = 100
)

// own owns the table and changes it until ctx ends, or until somebody kills the process. It prints a line after the first reload.
func (o options) own(ctx context.Context, out io.Writer) error {
	waves, err := loadWaves()
	if err != nil {
		return err
	}
	server, err := connect.To(ctx, o.redis)
	if err != nil {
		return err
	}
	defer server.Close()
	t, err := table.Open(ctx, server.Client, flightdata.Definition(tableName))
	if err != nil {
		return err
	}
	defer t.Close()
	revision, err := latest(ctx, t)
	if err != nil {
		return err
	}
	revision = nextReload(revision)
	if err := reload(ctx, t, waves, revision); err != nil {
		return err
	}
	fmt.Fprintln(out, "loaded")
	return change(ctx, t, waves, revision)
}

// latest returns the revision of the last change, of whichever owner; 0 if there was none.
func latest(ctx context.Context, t *table.Table[flight, int32]) (revision uint32, err error) {
	for f, err := range t.Records(ctx, t.All(flightdata.ByDeparture)) {
		if err != nil {
			return 0, err
		}
		revision = max(revision, f.Revision)
	}
	return revision, nil
}

// change goes on from a revision until ctx ends: it replaces one wave after another, reloads everything, and so on.
func change(ctx context.Context, t *table.Table[flight, int32], waves []wave, revision uint32) error {
	for {
		for range changesToReload {
			revision++
			w := waves[waveOf(revision, len(waves))]
			if err := t.Put(ctx, revised(w.flights, revision)...); err != nil {
				return err
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(pause):
			}
		}
		revision = nextReload(revision)
		if err := reload(ctx, t, waves, revision); err != nil {
			return err
		}
	}
}

// reload replaces all flights at once.
func reload(ctx context.Context, t *table.Table[flight, int32], waves []wave, revision uint32) error {
	s, err := t.Scratch(ctx)
	if err != nil {
		return err
	}
	defer s.Abort(ctx) // does nothing after the merge
	if _, err := s.Discard(ctx, t.All(flightdata.ByDeparture)); err != nil {
		return err
	}
	for _, w := range waves {
		if err := s.Put(ctx, revised(w.flights, revision)...); err != nil {
			return err
		}
	}
	return s.Merge(ctx, nil)
}

func revised(flights []flight, revision uint32) []flight {
	flights = slices.Clone(flights)
	for i := range flights {
		flights[i].Revision = revision
	}
	return flights
}
