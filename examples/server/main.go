// Server shows how a table lives inside an HTTP server: every answer is streamed from one snapshot while the whole
// data set is reloaded behind it. A page of departures is live: a mirror of the table tells it what changes.
//
//	go run ./examples/server                                      # with a Redis embedded in the process
//	go run ./examples/server -redis redis://localhost:6379        # with yours
//	go run ./examples/server -load -redis …                       # drive it, and print how long requests took
//
//	open http://localhost:8080/departures                         # a live page; ?from=2001-02-17T06:00:00Z&n=20: of that morning
//	curl localhost:8080/departures/live                           # what it is told
//	curl -X POST 'localhost:8080/flights/1/delay?minutes=30'      # make a flight late
//
//	curl 'localhost:8080/flights?from=2001-02-17T06:00:00Z&to=2001-02-17T07:00:00Z'
//	curl 'localhost:8080/flights?after=&limit=20'                 # a page, with the path of the next one
//	curl localhost:8080/flights/12158
//	curl 'localhost:8080/top?n=3'
//	curl -X POST localhost:8080/reload
//
// On your server it writes to the keys of one table, tablecache-example-server. It leaves them behind and finds the data
// there when it starts again: it loads a table that is empty, and one that you drop with -reset.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/tablecache-go/tablecache/examples/internal/cli"
)

func main() { cli.Main(run) }

// run is main with all that it touches; it returns the exit status. The end of ctx is the order to stop.
func run(ctx context.Context, args []string, out, diag io.Writer) int {
	o, err := parse(args, diag)
	if err == nil {
		err = start(ctx, o, out)
	}
	return cli.Status("server", err, diag)
}

// options are what the command line says.
type options struct {
	listen, redis string
	reset, load   bool
	clients       int
	duration      time.Duration
}

func parse(args []string, diag io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("server", flag.ContinueOnError)
	flags.StringVar(&o.listen, "listen", "localhost:8080", "`address` to listen at")
	flags.StringVar(&o.redis, "redis", "", "`URL` of the server to use, as redis://host:port; none: one embedded in the process")
	flags.BoolVar(&o.reset, "reset", false, "drop what an earlier start has left in the table, and load it again")
	flags.BoolVar(&o.load, "load", false, "drive the server from here, without and with reloads, print figures, and stop (the embedded redis is slow)")
	flags.IntVar(&o.clients, "clients", 8, "clients that -load runs")
	flags.DurationVar(&o.duration, "for", 10*time.Second, "how long each of the two parts of -load takes")
	err = cli.Parse(flags, args, "[flags]", diag)
	switch {
	case err != nil:
		return o, err
	case o.clients < 1 || o.duration <= 0:
		return o, fmt.Errorf("%w: -clients and -for must be positive", cli.ErrUsage)
	}
	return o, nil
}
