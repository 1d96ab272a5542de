package main

import (
	"context"
	"errors"
	"net/http"
	"slices"
)

// errBusy: a reload is running already.
var errBusy = errors.New("a reload is running")

// postReload replaces the whole data set. Its client waits for the end, and hanging up drops what was staged.
func (s *server) postReload(w http.ResponseWriter, r *http.Request) {
	done, err := s.reload(r.Context())
	if err != nil {
		refuse(w, err)
		return
	}
	reply(w, http.StatusOK, done)
}

// reloaded tells what a reload did.
type reloaded struct {
	Revision uint32 `json:"revision"`
	Flights  int    `json:"flights"`
}

// reload runs the slow query again, stages its answer, and shows all of it at once.
func (s *server) reload(ctx context.Context) (reloaded, error) {
	select {
	case <-s.place:
		defer func() { s.place <- struct{}{} }()
	default:
		return reloaded{}, errBusy
	}
	flights, err := s.source()
	if err != nil {
		return reloaded{}, err
	}
	if err := s.replace(ctx, flights); err != nil {
		return reloaded{}, err
	}
	return reloaded{Revision: s.revision, Flights: len(flights)}, nil
}

// chunk is how many records are staged at once.
const chunk = 1000

// replace stages the flights in a session, which lives no longer than ctx: when a client hangs up, nothing has happened.
func (s *server) replace(ctx context.Context, flights []flight) error {
	s.revision++
	session, err := s.table.Scratch(ctx)
	if err != nil {
		return err
	}
	defer session.Abort(ctx) // does nothing after the merge
	if _, err := session.Discard(ctx, s.table.All("departure")); err != nil {
		return err
	}
	for part := range slices.Chunk(flights, chunk) {
		for i := range part {
			part[i].Revision = s.revision
		}
		if err := session.Put(ctx, part...); err != nil {
			return err
		}
	}
	return session.Merge(ctx, nil)
}
