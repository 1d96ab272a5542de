package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/examples/internal/connect"
	"github.com/tablecache-go/tablecache/examples/internal/flightdata"
	"github.com/tablecache-go/tablecache/mirror"
	"github.com/tablecache-go/tablecache/table"
)

// tableName is the example's own: nobody else's keys start with it.
const tableName = "tablecache-example-server"

// grace is long, for the embedded Redis is slow: it sorts a whole index for each page.
const grace = time.Minute

// start serves until ctx ends or, with -load, until the figures are printed.
func start(ctx context.Context, o options, out io.Writer) error {
	server, err := connect.To(ctx, o.redis)
	if err != nil {
		return err
	}
	defer server.Close()
	t, err := open(ctx, server.Client, o)
	if err != nil {
		return err
	}
	defer t.Close() // after the server, whose requests use it
	m, err := mirror.Open(ctx, server.Client, flightdata.Definition(tableName))
	if err != nil {
		return err
	}
	defer m.Close()
	s := newServer(t, m, flightdata.Load)
	data, err := s.fill(ctx)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Serving table %s in %s (%s) at http://%s\n", t.Name(), server.Name, data, listener.Addr())
	return s.serve(ctx, listener, func(ctx context.Context) error {
		if !o.load {
			<-ctx.Done()
			return nil
		}
		return drive(ctx, "http://"+listener.Addr().String(), o, out)
	})
}

// open opens the table with what is in it, unless it is to be dropped. Who starts with a new version of this program keeps
// the data of the last one, and drops it only by the operator's decision.
func open(ctx context.Context, rdb redis.UniversalClient, o options) (*table.Table[flight, int32], error) {
	opts := []table.Option{table.WithSnapshotGrace(grace)}
	if o.reset {
		opts = append(opts, table.WithReset())
	}
	t, err := table.Open(ctx, rdb, flightdata.Definition(tableName), opts...)
	if errors.Is(err, table.ErrSchemaMismatch) || errors.Is(err, table.ErrLost) {
		return nil, fmt.Errorf("%w (start with -reset to drop table %s and load it again)", err, tableName)
	}
	return t, err
}

// fill loads a table that is empty, and leaves any other as it is. It says in a few words what is there. The merge of the
// load shows all records at once, so that a table which is not empty holds all of them.
func (s *server) fill(ctx context.Context) (string, error) {
	f, err := s.table.First(ctx, s.table.All(flightdata.ByDeparture))
	switch {
	case errors.Is(err, table.ErrNotFound):
		done, err := s.reload(ctx)
		return fmt.Sprintf("%d flights loaded", done.Flights), err
	case err != nil:
		return "", err
	}
	s.revision = f.Revision // nobody else reloads yet
	return fmt.Sprintf("flights of revision %d found", f.Revision), nil
}

// shutdown bounds how long requests may take to end when the server stops.
const shutdown = 10 * time.Second

// serve serves while work runs, then lets requests that run come to their end.
func (s *server) serve(ctx context.Context, l net.Listener, work func(context.Context) error) error {
	h := &http.Server{Handler: s.routes(), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	served := make(chan error, 1)
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		served <- h.Serve(l)
		cancel(errors.New("the server has stopped"))
	}()
	err := work(ctx)
	s.draining.Store(true)
	_ = s.mirror.Close() // ends the live streams, for which Shutdown would wait
	late, done := context.WithTimeout(context.WithoutCancel(ctx), shutdown)
	defer done()
	if h.Shutdown(late) != nil {
		_ = h.Close() // ends the requests' contexts, and so their reads
	}
	if e := <-served; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	return err
}
