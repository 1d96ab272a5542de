package main

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/tablecache-go/tablecache/examples/internal/flightdata"
	"github.com/tablecache-go/tablecache/mirror"
	"github.com/tablecache-go/tablecache/table"
)

type flight = flightdata.Flight

// server answers requests out of a table, and those that stay out of a mirror of it.
type server struct {
	table    *table.Table[flight, int32]
	mirror   *mirror.Mirror[flight, int32]
	source   func() ([]flight, error) // the slow query that the table keeps the answer of
	place    chan struct{}            // holds one token: one reload at a time
	revision uint32                   // of the last reload; belongs to the holder of the token
	draining atomic.Bool
}

func newServer(t *table.Table[flight, int32], m *mirror.Mirror[flight, int32], source func() ([]flight, error)) *server {
	s := &server{table: t, mirror: m, source: source, place: make(chan struct{}, 1)}
	s.place <- struct{}{}
	return s
}

func (s *server) routes() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /flights", s.getFlights)
	m.HandleFunc("GET /flights/{id}", s.getFlight)
	m.HandleFunc("POST /flights/{id}/delay", s.postDelay)
	m.HandleFunc("GET /top", s.getTop)
	m.HandleFunc("GET /departures", s.getBoard)
	m.HandleFunc("GET /departures/live", s.getLive)
	m.HandleFunc("POST /reload", s.postReload)
	m.HandleFunc("GET /healthz", s.getHealth)
	m.HandleFunc("GET /readyz", s.getReady)
	return m
}

// getFlights answers with the flights that leave at from or later, but before to: all of them, or a page.
func (s *server) getFlights(w http.ResponseWriter, r *http.Request) {
	from, err := moment(r, "from", time.Unix(0, 0))
	to, err2 := moment(r, "to", time.Unix(1<<33, 0))
	limit, err3 := number(r, "limit", 0)
	if err := errors.Join(err, err2, err3); err != nil {
		refuse(w, err)
		return
	}
	spec := s.table.Range(flightdata.ByDeparture, flightdata.Score(from), flightdata.Score(to))
	if r.URL.Query().Has("after") {
		s.page(w, r, spec, limit)
		return
	}
	stream(w, r, s.table.Records(r.Context(), spec.Max(limit))) // a client that hangs up ends the context, and so the read
}

// getTop streams the n longest delays.
func (s *server) getTop(w http.ResponseWriter, r *http.Request) {
	n, err := number(r, "n", 10)
	if err != nil {
		refuse(w, err)
		return
	}
	stream(w, r, s.table.Records(r.Context(), s.table.All(flightdata.ByDelay).Reversed().Max(max(n, 1))))
}

func (s *server) getFlight(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 32)
	if err != nil {
		refuse(w, badRequest("id", r.PathValue("id")))
		return
	}
	f, err := s.table.Get(r.Context(), int32(id))
	if err != nil {
		refuse(w, err)
		return
	}
	reply(w, http.StatusOK, f)
}

// getHealth says that the process lives. It does not ask the table: a fenced process that is restarted would only
// fence the process that has fenced it.
func (s *server) getHealth(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]string{"status": "alive"})
}

// patience bounds what a readiness probe waits for Redis.
const patience = time.Second

// getReady says whether requests should come here: not to a process whose table has another owner by now, or is lost, which the
// table says without asking Redis once it knows.
func (s *server) getReady(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	var st table.Stats
	err := s.table.Err()
	if err == nil {
		st, err = s.table.Stats(ctx)
	}
	switch {
	case s.draining.Load():
		reply(w, http.StatusServiceUnavailable, map[string]string{"status": "stopping"})
	case err != nil:
		refuse(w, err)
	default:
		reply(w, http.StatusOK, map[string]any{"status": "ready", "records": st.Records, "lock": st.State.String(),
			"generation": st.Generation, "pins": st.Pins})
	}
}

// moment returns a time in the query, or fallback.
func moment(r *http.Request, name string, fallback time.Time) (time.Time, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return fallback, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, badRequest(name, text)
	}
	return t, nil
}

// number returns a number in the query that is not negative, or fallback.
func number(r *http.Request, name string, fallback int) (int, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return fallback, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, badRequest(name, text)
	}
	return n, nil
}
