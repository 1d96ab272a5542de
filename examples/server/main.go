// Server shows how a table lives inside an HTTP server: every answer is streamed from one snapshot while the whole
// data set is reloaded behind it.
//
//	go run ./examples/server                                      # with a Redis embedded in the process
//	go run ./examples/server -redis redis://localhost:6379        # with yours
//	go run ./examples/server -load -redis …                       # drive it, and print how long requests took
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
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/tablecache-go/tablecache/examples/internal/connect"
)

func main() {
	connect.Silence()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main with all that it touches; it returns the exit status. The end of ctx is the order to stop.
func run(ctx context.Context, args []string, out, diag io.Writer) int {
	o, err := parse(args, diag)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err == nil:
		err = start(ctx, o, out)
	}
	if err == nil {
		return 0
	}
	fmt.Fprintln(diag, "server:", err)
	if errors.Is(err, errUsage) || errors.Is(err, connect.ErrURL) {
		return 2
	}
	return 1
}

// options are what the command line says.
type options struct {
	listen, redis string
	reset, load   bool
	clients       int
	duration      time.Duration
}

// errUsage: the command line is wrong.
var errUsage = errors.New("wrong usage (see -help)")

func parse(args []string, diag io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("server", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.listen, "listen", "localhost:8080", "`address` to listen at")
	flags.StringVar(&o.redis, "redis", "", "`URL` of the server to use, as redis://host:port; none: one embedded in the process")
	flags.BoolVar(&o.reset, "reset", false, "drop what an earlier start has left in the table, and load it again")
	flags.BoolVar(&o.load, "load", false, "drive the server from here, without and with reloads, print figures, and stop (the embedded redis is slow)")
	flags.IntVar(&o.clients, "clients", 8, "clients that -load runs")
	flags.DurationVar(&o.duration, "for", 10*time.Second, "how long each of the two parts of -load takes")
	err = flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintln(diag, "usage: server [flags]")
		flags.SetOutput(diag)
		flags.PrintDefaults()
		return o, err
	case err != nil:
		return o, fmt.Errorf("%w: %w", errUsage, err)
	case flags.NArg() > 0:
		return o, fmt.Errorf("%w: unexpected argument %q", errUsage, flags.Arg(0))
	case o.clients < 1 || o.duration <= 0:
		return o, fmt.Errorf("%w: -clients and -for must be positive", errUsage)
	}
	return o, nil
}
