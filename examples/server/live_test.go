package main

import (
	"bufio"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// serving serves until the test's other cleanups are done: it waits for its clients to leave.
func serving(t *testing.T, routes http.Handler) *httptest.Server {
	h := httptest.NewServer(routes)
	t.Cleanup(h.Close)
	return h
}

// told is one Server-Sent Event.
type told struct {
	kind   string
	flight flight
}

// listen opens a live stream, and returns what reads its next event; that fails where there is none.
func listen(t *testing.T, url string) (next func() (told, error)) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	if kind := answer.Header.Get("Content-Type"); kind != "text/event-stream" {
		t.Fatalf("%s: %s", answer.Status, kind)
	}
	lines := bufio.NewReader(answer.Body)
	return func() (e told, err error) {
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				return e, err
			}
			field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			switch field {
			case "event":
				e.kind = value
			case "data":
				return e, json.Unmarshal([]byte(value), &e.flight)
			}
		}
	}
}

func want(t *testing.T, next func() (told, error), kinds map[string]int32) {
	t.Helper()
	for range kinds {
		e, err := next()
		if id, is := kinds[e.kind]; err != nil || !is || e.flight.ID != id {
			t.Errorf("%s of flight %d (%v), want %v", e.kind, e.flight.ID, err, kinds)
		}
	}
}

func TestM4_WhatIsLive(t *testing.T) {
	s := newLoaded(t)
	h := serving(t, s.routes())
	next := listen(t, h.URL+"/departures/live?n=2")
	want(t, next, map[string]int32{"enter": 1})
	want(t, next, map[string]int32{"enter": 2})
	want(t, next, map[string]int32{"caught": 0})

	if status, body := ask(t, s.routes(), "POST", "/flights/2/delay?minutes=0", "*/*"); status != http.StatusNoContent {
		t.Fatalf("%d %s", status, body)
	}
	err := s.table.Update(t.Context(), 2, func(f *flight) error { f.Distance++; return nil })
	if err != nil {
		t.Fatal(err)
	}
	want(t, next, map[string]int32{"update": 2}) // the delay of no minutes is no change
	if status, body := ask(t, s.routes(), "POST", "/flights/1/delay?minutes=1440", "*/*"); status != http.StatusNoContent {
		t.Fatalf("%d %s", status, body)
	}
	want(t, next, map[string]int32{"leave": 1, "enter": 3})
}

// A reload that changes everything is one moment: each flight of the page is updated once, whatever else is told.
func TestM4_AReloadIsLive(t *testing.T) {
	s := newLoaded(t)
	h := serving(t, s.routes())
	next := listen(t, h.URL+"/departures/live?n=1&from=2001-02-17T06:00:00Z")
	first, err := next()
	if err != nil || first.flight.Revision != 1 {
		t.Fatalf("%+v, %v", first, err)
	}
	want(t, next, map[string]int32{"caught": 0})
	if _, err := s.reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if e, err := next(); err != nil || e.kind != "update" || e.flight.Revision != 2 || e.flight.ID != first.flight.ID {
		t.Errorf("%+v, %v", e, err)
	}
}

func TestDelays(t *testing.T) {
	s := newLoaded(t)
	before, err := s.table.Get(t.Context(), 7)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{
		"/flights/7/delay?minutes=45":   http.StatusNoContent,
		"/flights/7/delay?minutes=-1":   http.StatusBadRequest,
		"/flights/7/delay?minutes=1441": http.StatusBadRequest,
		"/flights/many/delay":           http.StatusBadRequest,
		"/flights/20001/delay":          http.StatusNotFound,
	} {
		if status, body := ask(t, s.routes(), "POST", path, "*/*"); status != want {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	after, err := s.table.Get(t.Context(), 7)
	if err != nil || after.Delay != before.Delay+45 || after.Departure.Sub(before.Departure).Minutes() != 45 {
		t.Errorf("%+v, %v, before %+v", after, err, before)
	}
}

func TestLiveRefusals(t *testing.T) {
	s := newLoaded(t)
	for _, query := range []string{"?from=tomorrow", "?n=-1"} {
		if status, body := ask(t, s.routes(), "GET", "/departures/live"+query, "*/*"); status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", query, status, body)
		}
	}
	s.mirror.Close()
	if status, body := ask(t, s.routes(), "GET", "/departures/live", "*/*"); status != http.StatusServiceUnavailable {
		t.Errorf("without a mirror: %d %s", status, body)
	}
}

// A live stream has no end, but the server's: it stops at once all the same.
func TestStopsThoughAPageIsLive(t *testing.T) {
	s := newLoaded(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	err = s.serve(ctx, l, func(context.Context) error {
		next := listen(t, "http://"+l.Addr().String()+"/departures/live?n=1")
		want(t, next, map[string]int32{"enter": 1})
		want(t, next, map[string]int32{"caught": 0})
		stop()
		return nil
	})
	if err != nil {
		t.Errorf("ended with %v", err)
	}
}
