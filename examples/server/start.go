package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/tablecache-go/tablecache/examples/internal/connect"
	"github.com/tablecache-go/tablecache/examples/internal/flightdata"
	"github.com/tablecache-go/tablecache/table"
)

// tableName is the example's own: nobody else's keys start with it.
const tableName = "tablecache-example-server"

// grace is long, for the embedded Redis is slow: it sorts a whole index for each page.
const grace = time.Minute

// start serves until ctx ends or, with -load, until the figures are printed.
func start(ctx context.Context, o options, out io.Writer) error {
	redis, err := connect.To(ctx, o.redis)
	if err != nil {
		return err
	}
	defer redis.Close()
	t, err := table.Open(ctx, redis.Client, flightdata.Definition(tableName), table.WithReset(), table.WithSnapshotGrace(grace))
	if err != nil {
		return err
	}
	defer t.Close() // after the server, whose requests use it
	s := newServer(t, flightdata.Load)
	if _, err := s.reload(ctx); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Serving table %s in %s at http://%s\n", t.Name(), redis.Name, listener.Addr())
	return s.serve(ctx, listener, func(ctx context.Context) error {
		if !o.load {
			<-ctx.Done()
			return nil
		}
		return drive(ctx, "http://"+listener.Addr().String(), o, out)
	})
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
