package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/tablecache-go/tablecache/examples/internal/connect"
	"github.com/tablecache-go/tablecache/examples/internal/flightdata"
	"github.com/tablecache-go/tablecache/mirror"
	"github.com/tablecache-go/tablecache/table"
)

const (
	// positionHeader carries a position: in a request what the visitor has seen already, in an answer what the reader has shown.
	positionHeader = "Table-Position"
	// ageHeader carries in an answer how old it may be, beside the time that it took.
	ageHeader = "Table-Age"
)

// read serves what it reads until ctx ends. The first line of its output is its address.
func (o options) read(ctx context.Context, out io.Writer) error {
	waves, err := loadWaves()
	if err != nil {
		return err
	}
	server, err := connect.To(ctx, o.redis)
	if err != nil {
		return err
	}
	defer server.Close()
	r, err := table.OpenReader(ctx, server.Client, flightdata.Definition(tableName), table.WithWait())
	if err != nil {
		return err
	}
	defer r.Close()
	routes := http.NewServeMux()
	handle(routes, fromReader, &service{table: r, waves: waves, age: func() time.Duration { return 0 }})
	if o.mirror {
		m, err := mirror.Open(ctx, server.Client, flightdata.Definition(tableName), mirror.WithWait())
		if err != nil {
			return err
		}
		defer m.Close()
		handle(routes, fromMirror, &service{table: m, waves: waves, age: m.Age})
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintln(out, l.Addr())
	return serve(ctx, l, routes)
}

func serve(ctx context.Context, l net.Listener, routes http.Handler) error {
	h := &http.Server{Handler: routes, ReadHeaderTimeout: 5 * time.Second}
	defer context.AfterFunc(ctx, func() { _ = h.Close() })()
	if err := h.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// service answers requests from any handle on the table.
type service struct {
	table table.KeyReading[flight, int32]
	waves []wave
	age   func() time.Duration // how old at most what the table shows at a time is
}

// handle makes a service answer what is asked of its kind.
func handle(routes *http.ServeMux, k kind, s *service) {
	routes.HandleFunc("GET /"+string(k)+"/waves/{wave}", s.getWave)
	routes.HandleFunc("GET /"+string(k)+"/waves", s.getAll)
}

func (s *service) getWave(w http.ResponseWriter, r *http.Request) {
	i, err := strconv.Atoi(r.PathValue("wave"))
	if err != nil || i < 0 || i >= len(s.waves) {
		http.Error(w, "no such wave", http.StatusNotFound)
		return
	}
	in := s.waves[i].interval
	s.answer(w, r, s.table.Range(flightdata.ByDeparture, in.GE, in.LT))
}

func (s *service) getAll(w http.ResponseWriter, r *http.Request) {
	s.answer(w, r, s.table.All(flightdata.ByDeparture))
}

// answer sums up what a spec has. It waits until the table shows what the visitor has seen elsewhere.
func (s *service) answer(w http.ResponseWriter, r *http.Request, spec table.Spec[flight]) {
	all, age, err := s.read(r.Context(), r.Header.Get(positionHeader), spec)
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set(ageHeader, age.String())
	w.Header().Set(positionHeader, s.table.Position().String())
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(all) // a visitor that has left is no trouble
}

// read reads what a spec has, no older than position, and tells how old it was at most when it was read.
func (s *service) read(ctx context.Context, position string, spec table.Spec[flight]) (all []seen, age time.Duration, err error) {
	p, err := table.ParsePosition(position)
	if err != nil {
		return nil, 0, err
	}
	if err := s.table.WaitFor(ctx, p); err != nil {
		return nil, 0, err
	}
	age = s.age()
	sum := newSummary(s.waves)
	for f, err := range s.table.Records(ctx, spec) {
		if err != nil {
			return nil, 0, err
		}
		if err := sum.add(&f); err != nil {
			return nil, 0, err
		}
	}
	return sum.list(), age, nil
}
