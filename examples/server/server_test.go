package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tablecache-go/tablecache/examples/internal/flightdata"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/mirror"
	"github.com/tablecache-go/tablecache/table"
)

// newLoaded returns a server whose table holds all flights.
func newLoaded(t *testing.T, opts ...table.Option) *server {
	t.Helper()
	rdb := redistest.Shared(t).Client(t)
	tab, err := table.Open(t.Context(), rdb, flightdata.Definition(redistest.Prefix(t)), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tab.Close() })
	m, err := mirror.Open(t.Context(), rdb, flightdata.Definition(tab.Name()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	s := newServer(tab, m, flightdata.Load)
	if _, err := s.reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := tab.WaitClear(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func ask(t *testing.T, h http.Handler, method, path, accept string) (status int, body string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func decodeLines(t *testing.T, body string) (flights []flight) {
	t.Helper()
	for d := json.NewDecoder(strings.NewReader(body)); d.More(); {
		var f flight
		if err := d.Decode(&f); err != nil {
			t.Fatal(err)
		}
		flights = append(flights, f)
	}
	return flights
}

func TestRoutes(t *testing.T) {
	h := newLoaded(t).routes()
	t.Run("range", func(t *testing.T) {
		from, to := "2001-02-17T06:00:00Z", "2001-02-17T07:00:00Z"
		status, body := ask(t, h, "GET", "/flights?from="+from+"&to="+to, "*/*")
		got := decodeLines(t, body)
		if want := between(t, from, to); status != http.StatusOK || !sameIDs(got, want) || len(want) == 0 {
			t.Errorf("%d: %d flights, want %d", status, len(got), len(want))
		}
	})
	t.Run("everything", func(t *testing.T) {
		status, body := ask(t, h, "GET", "/flights", "*/*")
		if n := len(decodeLines(t, body)); status != http.StatusOK || n != flights {
			t.Errorf("%d: %d flights", status, n)
		}
	})
	t.Run("array", func(t *testing.T) {
		_, body := ask(t, h, "GET", "/flights?limit=3", "application/json")
		var got []flight
		if err := json.Unmarshal([]byte(body), &got); err != nil || len(got) != 3 || got[0].ID != 1 {
			t.Errorf("%v, %v", got, err)
		}
	})
	t.Run("top", func(t *testing.T) {
		_, body := ask(t, h, "GET", "/top?n=2", "*/*")
		if got := decodeLines(t, body); len(got) != 2 || got[0].ID != 12158 || got[1].ID != 9186 {
			t.Errorf("%+v", got)
		}
	})
	t.Run("lookup", func(t *testing.T) {
		status, body := ask(t, h, "GET", "/flights/1", "*/*")
		if got := decodeLines(t, body); status != http.StatusOK || len(got) != 1 || got[0].Origin.City != "Detroit" {
			t.Errorf("%d %s", status, body)
		}
	})
}

func TestEmptyAnswers(t *testing.T) {
	h := newLoaded(t).routes()
	const nothing = "/flights?from=1999-01-01T00:00:00Z&to=1999-01-02T00:00:00Z"
	if status, body := ask(t, h, "GET", nothing, "*/*"); status != http.StatusOK || body != "" {
		t.Errorf("lines: %d %q", status, body)
	}
	if status, body := ask(t, h, "GET", nothing, "application/json"); status != http.StatusOK || body != "[]\n" {
		t.Errorf("array: %d %q", status, body)
	}
}

func TestRefusals(t *testing.T) {
	h := newLoaded(t).routes()
	for path, want := range map[string]int{
		"/flights?from=yesterday": http.StatusBadRequest,
		"/flights?limit=-1":       http.StatusBadRequest,
		"/flights?from=2001-02-02T00:00:00Z&to=2001-02-01T00:00:00Z": http.StatusBadRequest,
		"/flights/one":   http.StatusBadRequest,
		"/flights/20001": http.StatusNotFound,
		"/top?n=many":    http.StatusBadRequest,
		"/nothing":       http.StatusNotFound,
	} {
		if status, body := ask(t, h, "GET", path, "*/*"); status != want {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}

func TestHealthAndReadiness(t *testing.T) {
	s := newLoaded(t)
	h := s.routes()
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, body := ask(t, h, "GET", path, "*/*"); status != http.StatusOK {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	s.draining.Store(true)
	if status, _ := ask(t, h, "GET", "/readyz", "*/*"); status != http.StatusServiceUnavailable {
		t.Errorf("ready while it stops: %d", status)
	}
	s.draining.Store(false)
	s.table.Close()
	if status, _ := ask(t, h, "GET", "/readyz", "*/*"); status != http.StatusServiceUnavailable {
		t.Errorf("ready without a table: %d", status)
	}
	if status, _ := ask(t, h, "GET", "/healthz", "*/*"); status != http.StatusOK {
		t.Errorf("not alive without a table: %d", status)
	}
}

// P1: a process whose table was opened by another one is alive, but not ready: at the first probe, and for good.
func TestP1_AReplacedOwnerIsNotReady(t *testing.T) {
	s := newLoaded(t)
	other, err := table.Open(t.Context(), redistest.Shared(t).Client(t), flightdata.Definition(s.table.Name()))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for range 2 {
		if status, body := ask(t, s.routes(), "GET", "/readyz", "*/*"); status != http.StatusServiceUnavailable || !strings.Contains(body, "another owner") {
			t.Errorf("ready: %d %s", status, body)
		}
	}
	if status, _ := ask(t, s.routes(), "GET", "/healthz", "*/*"); status != http.StatusOK {
		t.Errorf("not alive: %d", status)
	}
	if !errors.Is(s.table.Err(), table.ErrFenced) {
		t.Errorf("the table has ended with %v", s.table.Err())
	}
}

func TestReload(t *testing.T) {
	s := newLoaded(t)
	h := s.routes()
	status, body := ask(t, h, "POST", "/reload", "*/*")
	if status != http.StatusOK || body != `{"revision":2,"flights":20000}`+"\n" {
		t.Errorf("%d %s", status, body)
	}
	if _, body := ask(t, h, "GET", "/flights/1", "*/*"); decodeLines(t, body)[0].Revision != 2 {
		t.Errorf("after the reload: %s", body)
	}
	token := <-s.place
	if status, _ := ask(t, h, "POST", "/reload", "*/*"); status != http.StatusConflict {
		t.Errorf("two at once: %d", status)
	}
	s.place <- token
}

// TestAFailedReloadIsDropped: what was staged is gone, and the next reload starts from nothing.
func TestAFailedReloadIsDropped(t *testing.T) {
	s := newLoaded(t)
	ctx, cancel := context.WithCancel(t.Context())
	s.source = func() ([]flight, error) {
		cancel() // the client hangs up while the source is asked
		return flightdata.Load()
	}
	if _, err := s.reload(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	st, err := s.table.Stats(t.Context())
	if err != nil || st.State != table.StateClear || st.Staged != 0 || st.Records != flights {
		t.Errorf("%+v, %v", st, err)
	}
}

// narrow is a listener whose connections hold little, so that a client which reads nothing soon stops the server.
type narrow struct{ net.Listener }

func (n narrow) Accept() (net.Conn, error) {
	c, err := n.Listener.Accept()
	if err == nil {
		err = c.(*net.TCPConn).SetWriteBuffer(4 << 10)
	}
	return c, err
}

// TestAClientThatHangsUpFreesItsRead: the read of a stalled client is pinned; when the client goes, so does the pin.
func TestAClientThatHangsUpFreesItsRead(t *testing.T) {
	s := newLoaded(t)
	over := make(chan struct{})
	routes := s.routes()
	h := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(over)
		routes.ServeHTTP(w, r)
	}))
	h.Listener = narrow{h.Listener}
	h.Start()
	defer h.Close()

	conn, err := net.Dial("tcp", h.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "GET /flights HTTP/1.1\r\nHost: here\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, 8<<10)); err != nil { // records have come: the snapshot is pinned
		t.Fatal(err)
	}
	if pins := pins(t, s); pins != 1 {
		t.Fatalf("%d pins while the client stalls", pins)
	}
	conn.Close()
	select {
	case <-over:
	case <-time.After(stall / 2):
		t.Fatal("the request goes on without its client")
	}
	if pins := pins(t, s); pins != 0 {
		t.Errorf("%d pins after the client has gone", pins)
	}
}

func pins(t *testing.T, s *server) int {
	t.Helper()
	st, err := s.table.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return st.Pins
}

// TestAnAnswerThatBreaksOffIsNoWholeAnswer: the client of a read that fails half way must notice.
func TestAnAnswerThatBreaksOffIsNoWholeAnswer(t *testing.T) {
	broken := errors.New("broken")
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		stream(w, r, func(yield func(flight, error) bool) {
			for i := range int32(10_000) {
				if !yield(flight{ID: i}, nil) {
					return
				}
			}
			yield(flight{}, broken)
		})
	}))
	defer h.Close()
	answer, err := h.Client().Get(h.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if _, err := io.ReadAll(answer.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the client saw %v", err)
	}
}

// TestAnErrorBeforeTheFirstRecordHasAStatus, because then nothing was said yet.
func TestAnErrorBeforeTheFirstRecordHasAStatus(t *testing.T) {
	for err, want := range map[error]int{
		table.ErrInvalidSpec:        http.StatusBadRequest,
		table.ErrSnapshotExpired:    http.StatusServiceUnavailable,
		table.ErrLost:               http.StatusServiceUnavailable,
		context.DeadlineExceeded:    http.StatusGatewayTimeout,
		error(&table.CodingError{}): http.StatusInternalServerError,
	} {
		w := httptest.NewRecorder()
		stream(w, httptest.NewRequest("GET", "/", nil), func(yield func(flight, error) bool) { yield(flight{}, err) })
		if w.Code != want {
			t.Errorf("%v: %d", err, w.Code)
		}
	}
}

func between(t *testing.T, from, to string) (found []flight) {
	t.Helper()
	all, err := flightdata.Load()
	if err != nil {
		t.Fatal(err)
	}
	a, err := time.Parse(time.RFC3339, from)
	b, err2 := time.Parse(time.RFC3339, to)
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if !f.Departure.Before(a) && f.Departure.Before(b) {
			found = append(found, f)
		}
	}
	return found
}

func sameIDs(got, want []flight) bool {
	ids := make(map[int32]bool)
	for _, f := range want {
		ids[f.ID] = true
	}
	for _, f := range got {
		if !ids[f.ID] {
			return false
		}
		delete(ids, f.ID)
	}
	return len(ids) == 0
}
