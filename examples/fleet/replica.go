package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/tablecache-go/tablecache/examples/internal/connect"
	"github.com/tablecache-go/tablecache/lead"
	"github.com/tablecache-go/tablecache/mirror"
	"github.com/tablecache-go/tablecache/table"
)

// replica is one of several equal processes that serve flights. Each answers from a mirror. One of them owns the table: it alone
// reloads the flights and does the bookings that all take in.
type replica struct {
	options
	rdb      redis.UniversalClient
	database database
	mirror   *mirror.Mirror[flight, int32]
	reader   *table.Reader[flight, int32]
	owns     atomic.Bool
}

// serve runs a replica until ctx ends. The first line of its output is its address, once it has flights to show.
func (o options) serve(ctx context.Context, out io.Writer) error {
	server, err := connect.To(ctx, o.redis)
	if err != nil {
		return err
	}
	defer server.Close()
	r := &replica{options: o, rdb: server.Client, database: database{server.Client}}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return r.lead(ctx) })
	g.Go(func() error { return r.listen(ctx, out) })
	return g.Wait()
}

// lead is a candidate for owning the table until ctx ends. Answers do not depend on it: whatever ends it, it is tried again.
func (r *replica) lead(ctx context.Context) error {
	for {
		err := lead.Run(ctx, r.rdb, definition(r.version), r.own, lead.WithLease(r.lease), lead.WithTable(table.WithWriteThrough()))
		if ctx.Err() != nil {
			return nil
		}
		fmt.Fprintln(r.diag, "leading:", err)
		select {
		case <-ctx.Done():
		case <-time.After(r.lease):
		}
	}
}

// own does what the owner does, until ctx ends: that is when this process may own the table no longer.
func (r *replica) own(ctx context.Context, t *table.Table[flight, int32]) error {
	if err := r.load(ctx, t); err != nil {
		return err
	}
	r.owns.Store(true)
	defer r.owns.Store(false)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return r.book(ctx, t) })
	g.Go(func() error {
		for {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(r.every):
			}
			if err := r.load(ctx, t); err != nil {
				return err
			}
		}
	})
	return g.Wait()
}

// load replaces all flights at one moment. A booking that is done meanwhile wins over what is loaded (table.WithWriteThrough).
func (r *replica) load(ctx context.Context, t *table.Table[flight, int32]) error {
	s, err := t.Scratch(ctx)
	if err != nil {
		return err
	}
	defer s.Abort(context.WithoutCancel(ctx)) // does nothing after the merge
	all, err := r.database.flights(ctx)
	if err != nil {
		return err
	}
	stats, err := t.Stats(ctx)
	if err != nil {
		return err
	}
	for i := range all {
		all[i].Reload = stats.Generation + 1
	}
	if _, err := s.Discard(ctx, t.All(byDeparture)); err != nil {
		return err
	}
	if err := s.Put(ctx, all...); err != nil {
		return err
	}
	return s.Merge(ctx, nil)
}

// book does bookings in the order in which they were taken in. The note says which was the last, in the same step as what it has changed:
// so each is done once, whichever owner does it.
func (r *replica) book(ctx context.Context, t *table.Table[flight, int32]) error {
	note, err := t.Note(ctx)
	if err != nil {
		return err
	}
	last := cmp.Or(string(note), "0")
	for {
		var b booking
		if last, b, err = r.database.after(ctx, last); err != nil {
			return err
		}
		pair, err := table.Collect(t.Lookup(ctx, b.Flights[:]...))
		if err != nil {
			return err
		}
		if len(pair) == 2 {
			b.do(&pair[0], &pair[1])
		}
		if err := t.Apply(ctx, table.Batch[flight, int32]{Put: pair, Note: []byte(last)}); err != nil {
			return err
		}
	}
}

// listen answers requests until ctx ends, and then those under way.
func (r *replica) listen(ctx context.Context, out io.Writer) (err error) {
	if r.mirror, err = mirror.Open(ctx, r.rdb, definition(r.version), mirror.WithWait()); err != nil {
		return err
	}
	defer r.mirror.Close()
	if r.reader, err = table.OpenReader(ctx, r.rdb, definition(r.version)); err != nil {
		return err
	}
	defer r.reader.Close()
	if err := r.mirror.Until(ctx, func(s *mirror.Snapshot[flight, int32]) bool {
		n, err := s.Count(ctx, s.All(byDeparture))
		return err == nil && n > 0
	}); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintln(out, l.Addr())
	h := &http.Server{Handler: r.routes(), ReadHeaderTimeout: 5 * time.Second}
	closed := make(chan error, 1)
	defer context.AfterFunc(ctx, func() { closed <- h.Shutdown(context.WithoutCancel(ctx)) })()
	if err := h.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-closed
}

// positionHeader carries a position: in a request what the visitor has seen already, in an answer what it has been shown.
const positionHeader = "Table-Position"

// reading is what answers come from: a mirror, or a Reader, which asks Redis.
type reading = table.KeyReading[flight, int32]

func (r *replica) routes() http.Handler {
	routes := http.NewServeMux()
	for from, of := range map[kind]reading{fromMirror: r.mirror, fromReader: r.reader} {
		routes.HandleFunc("GET /"+string(from)+"/flights/{id}", answer(of, getFlight))
		routes.HandleFunc("GET /"+string(from)+"/summary", answer(of, getSummary))
		routes.HandleFunc("GET /"+string(from)+"/full", answer(of, getFull))
	}
	routes.HandleFunc("PUT /bookings", r.takeIn)
	routes.HandleFunc("GET /owner", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, r.owns.Load()) })
	return routes
}

func getFlight(ctx context.Context, of reading, q *http.Request) (any, error) {
	id, err := strconv.ParseInt(q.PathValue("id"), 10, 32)
	if err != nil {
		return nil, table.ErrNotFound
	}
	return of.Get(ctx, int32(id))
}

func getSummary(ctx context.Context, of reading, _ *http.Request) (any, error) {
	return summarize(of.Records(ctx, of.All(byDeparture)))
}

func getFull(ctx context.Context, of reading, _ *http.Request) (any, error) {
	return table.Collect(of.Records(ctx, of.All(bySeats).Max(10)))
}

// answer answers with what is read of one moment, which includes what the visitor has seen elsewhere.
func answer(of reading, read func(context.Context, reading, *http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, q *http.Request) {
		var v any
		p, err := table.ParsePosition(q.Header.Get(positionHeader))
		if err == nil {
			err = of.WaitFor(q.Context(), p)
		}
		if err == nil {
			v, err = read(q.Context(), of, q)
		}
		respond(w, of.Position(), v, err)
	}
}

// takeIn takes a booking in, and answers when this replica shows it. Until then its owner, old or new, has done it.
func (r *replica) takeIn(w http.ResponseWriter, q *http.Request) {
	var b booking
	if err := json.NewDecoder(http.MaxBytesReader(w, q.Body, 1000)).Decode(&b); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	_, err := r.mirror.Get(q.Context(), b.Flights[0])
	if err == nil {
		err = r.database.add(q.Context(), b)
	}
	if err == nil {
		err = r.mirror.Until(q.Context(), func(s *mirror.Snapshot[flight, int32]) bool {
			f, err := s.Get(q.Context(), b.Flights[0])
			return err == nil && f.Booking >= b.Number
		})
	}
	respond(w, r.mirror.Position(), b, err)
}

func respond(w http.ResponseWriter, p table.Position, v any, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set(positionHeader, p.String())
	_ = json.NewEncoder(w).Encode(v) // a visitor that has left is no trouble
}
