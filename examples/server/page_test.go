package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
)

func askPage(t *testing.T, h http.Handler, path string) (p page) {
	t.Helper()
	status, body := ask(t, h, "GET", path, "*/*")
	if err := json.Unmarshal([]byte(body), &p); err != nil || status != http.StatusOK {
		t.Fatalf("%s: %d, %v", path, status, err)
	}
	return p
}

// A client that follows the links gets each flight once, though the whole data set is reloaded in between.
func TestPagesLeadToEachOther(t *testing.T) {
	s := newLoaded(t)
	h := s.routes()
	from, to := "2001-02-17T06:00:00Z", "2001-02-17T12:00:00Z"
	query := url.Values{"after": {""}, "limit": {"7"}, "from": {from}, "to": {to}}
	var got []flight
	pages := 0
	for path := "/flights?" + query.Encode(); path != ""; pages++ {
		p := askPage(t, h, path)
		if got = append(got, p.Flights...); p.Next != "" && len(p.Flights) != 7 {
			t.Errorf("a page of %d flights", len(p.Flights))
		}
		if path = p.Next; pages == 1 {
			if _, err := s.reload(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if want := between(t, from, to); !sameIDs(got, want) || pages != (len(want)+6)/7 || pages < 3 {
		t.Errorf("%d flights on %d pages, want %d", len(got), pages, len(want))
	}
}

func TestPageSizes(t *testing.T) {
	h := newLoaded(t).routes()
	for path, want := range map[string]int{
		"/flights?after=":            usualPage,
		"/flights?after=&limit=3":    3,
		"/flights?after=&limit=9999": longestPage,
		"/flights?after=&from=1999-01-01T00:00:00Z&to=1999-01-02T00:00:00Z": 0,
	} {
		if p := askPage(t, h, path); len(p.Flights) != want || p.Flights == nil || (p.Next == "") != (want == 0) {
			t.Errorf("%s: %d flights, next %q", path, len(p.Flights), p.Next)
		}
	}
}

// A token is for the listing that it came with.
func TestTokensOfOtherListingsAreRefused(t *testing.T) {
	h := newLoaded(t).routes()
	next, err := url.Parse(askPage(t, h, "/flights?after=").Next)
	if err != nil {
		t.Fatal(err)
	}
	token := next.Query().Get("after")
	for _, path := range []string{"/flights?after=nonsense", "/flights?from=2001-02-17T06:00:00Z&after=" + token} {
		if status, body := ask(t, h, "GET", path, "*/*"); status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}
