package main

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/tablecache-go/tablecache/examples/internal/flightdata"
	"github.com/tablecache-go/tablecache/mirror"
)

// usualBoard is how many departures are live unless the client asks for another number.
const usualBoard = 15

// board is a page that shows the next departures as they change. It needs nothing but this server.
//
//go:embed departures.html
var board []byte

// getBoard answers with the page, which may load nothing from elsewhere.
func (s *server) getBoard(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; connect-src 'self'")
	_, _ = w.Write(board) // who cannot be answered has gone
}

// getLive streams the next n departures from a moment on as Server-Sent Events: an "enter" for each, "caught", and then each change. It
// reads the mirror, so that any number of pages costs Redis nothing.
func (s *server) getLive(w http.ResponseWriter, r *http.Request) {
	from, err := moment(r, "from", time.Unix(0, 0))
	n, err2 := number(r, "n", usualBoard)
	if err := errors.Join(err, err2); err != nil {
		refuse(w, err)
		return
	}
	out := &events{w: w, c: http.NewResponseController(w)}
	next := s.mirror.Range(flightdata.ByDeparture, flightdata.Score(from), math.Inf(1)).Max(max(n, 1))
	for c, err := range s.mirror.Changes(r.Context(), next) {
		switch {
		case err != nil && !out.begun:
			refuse(w, err)
			return
		case err != nil || out.write(c) != nil:
			return // the client has gone, or the server stops: a page connects again by itself
		}
	}
}

// events writes changes as Server-Sent Events.
type events struct {
	w     http.ResponseWriter
	c     *http.ResponseController
	begun bool
}

// again is after how many milliseconds a page connects again when its stream has ended.
const again = 500

// write sends a change at once. A client that takes nothing for long is given up.
func (e *events) write(c mirror.Change[flight, int32]) error {
	text, err := json.Marshal(cmp.Or(c.After, c.Before)) // of caught: null
	if err != nil {
		return err
	}
	_ = e.c.SetWriteDeadline(time.Now().Add(stall)) // a test's recorder has no deadlines
	e.begin()
	if _, err := fmt.Fprintf(e.w, "event: %v\ndata: %s\n\n", c.Kind, text); err != nil {
		return err
	}
	return e.c.Flush()
}

// begin sends what stands before the first event.
func (e *events) begin() {
	if e.begun {
		return
	}
	e.begun = true
	e.w.Header().Set("Content-Type", "text/event-stream")
	e.w.Header().Set("Cache-Control", "no-store")
	_, _ = fmt.Fprintf(e.w, "retry: %d\n", again) // what goes wrong, goes wrong again at once
}

// mostMinutes keeps a delay within its int16.
const mostMinutes = 24 * 60

// postDelay makes a flight leave later. It waits for a reload that runs, which would undo it.
func (s *server) postDelay(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 32)
	if err != nil {
		refuse(w, badRequest("id", r.PathValue("id")))
		return
	}
	minutes, err := number(r, "minutes", 30)
	if err == nil && minutes > mostMinutes {
		err = badRequest("minutes", r.URL.Query().Get("minutes"))
	}
	if err != nil {
		refuse(w, err)
		return
	}
	err = s.table.Update(r.Context(), int32(id), func(f *flight) error {
		f.Departure = f.Departure.Add(time.Duration(minutes) * time.Minute)
		f.Delay += int16(minutes)
		return nil
	})
	if err != nil {
		refuse(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
