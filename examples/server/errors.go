package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/tablecache-go/tablecache/table"
)

// errRequest: the request cannot be understood.
var errRequest = errors.New("bad request")

func badRequest(name, value string) error {
	return fmt.Errorf("%w: %s cannot be %q", errRequest, name, value)
}

// statusOf returns the HTTP status that an error of a table deserves.
func statusOf(err error) int {
	switch {
	case errors.Is(err, errRequest), errors.Is(err, table.ErrInvalidSpec), errors.Is(err, table.ErrUnknownIndex):
		return http.StatusBadRequest
	case errors.Is(err, table.ErrNotFound):
		return http.StatusNotFound
	case errors.Is(err, errBusy):
		return http.StatusConflict
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusGatewayTimeout
	case errors.As(err, new(*table.CodingError)):
		return http.StatusInternalServerError
	default: // Redis is away, the table is closed, fenced or lost: another server may do better
		return http.StatusServiceUnavailable
	}
}

// refuse answers with an error. Errors of a table hold neither rows nor keys, so that they may be shown.
func refuse(w http.ResponseWriter, err error) {
	reply(w, statusOf(err), map[string]string{"error": err.Error()})
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // who cannot be answered has gone
}
