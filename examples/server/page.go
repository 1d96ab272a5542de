package main

import (
	"net/http"
	"net/url"

	"github.com/tablecache-go/tablecache/table"
)

// Pages have this many flights unless the client asks for another number, and never more than the second.
const (
	usualPage   = 50
	longestPage = 500
)

// page is a part of a listing. Next leads to the page after it; the last page has none.
type page struct {
	Flights []flight `json:"flights"`
	Next    string   `json:"next,omitempty"`
}

// page answers with the page behind the token in the query; an empty token is before the first one. Nothing is kept for the
// client in between: it may come back at any time, and to any server of this table.
func (s *server) page(w http.ResponseWriter, r *http.Request, spec table.Spec[flight], limit int) {
	if limit == 0 {
		limit = usualPage
	}
	flights, next, err := s.table.Page(r.Context(), spec, table.Token(r.URL.Query().Get("after")), min(limit, longestPage))
	if err != nil {
		refuse(w, err)
		return
	}
	reply(w, http.StatusOK, page{Flights: append([]flight{}, flights...), Next: nextPage(r.URL, next)})
}

// nextPage returns the request's own path and query with another token, so that the page after it is of the same listing.
func nextPage(asked *url.URL, next table.Token) string {
	if next == "" {
		return ""
	}
	query := asked.Query()
	query.Set("after", string(next))
	return asked.Path + "?" + query.Encode()
}
