package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/tablecache-go/tablecache/examples/internal/connect"
	"github.com/tablecache-go/tablecache/examples/internal/flightdata"
	"github.com/tablecache-go/tablecache/table"
)

type flight = flightdata.Flight

// tableName is the demonstration's own: nobody else's keys start with it.
const tableName = "tablecache-example-flights"

// grace is long, for the embedded Redis is slow: it sorts a whole index for each page.
const grace = time.Minute

// demo is what the steps work with.
type demo struct {
	flights []flight
	table   *table.Table[flight, int32]
	diag    io.Writer // where progress is shown, if it is a terminal
}

func demonstrate(ctx context.Context, url string, out, diag io.Writer) error {
	flights, err := flightdata.Load()
	if err != nil {
		return err
	}
	server, err := connect.To(ctx, url)
	if err != nil {
		return err
	}
	defer server.Close()
	t, err := table.Open(ctx, server.Client, flightdata.Definition(tableName), table.WithReset(), table.WithSnapshotGrace(grace))
	if err != nil {
		return err
	}
	defer t.Close()
	fmt.Fprintf(out, "Table %s in %s\n", t.Name(), server.Name)
	d := &demo{flights: flights, table: t, diag: diag}
	return d.run(ctx, out)
}

func (d *demo) run(ctx context.Context, out io.Writer) error {
	s := steps{out: out}
	s.do("Load 20,000 flights, each joined with its airports", func(w io.Writer) error { return d.load(ctx, w) })
	s.do("One day's departures, by the index of times", func(w io.Writer) error { return d.showDay(ctx, w) })
	s.do("The ten longest delays: a reversed, limited read", func(w io.Writer) error { return d.showDelays(ctx, w) })
	s.do("Four keys looked up, one of which is not there", func(w io.Writer) error { return d.showKeys(ctx, w) })
	s.do("Reload February behind the backs of its readers", func(w io.Writer) error { return d.reload(ctx, w) })
	s.do("Empty the table", func(io.Writer) error { return d.table.Clear(ctx) })
	return s.err
}
