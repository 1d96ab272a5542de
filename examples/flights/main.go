// Flights shows what a table does, on real data: 20,000 flights of early 2001, each joined with its airports.
//
//	go run ./examples/flights                                    # with a Redis embedded in the process
//	go run ./examples/flights -redis redis://localhost:6379      # with yours
//
// On your server it writes to the keys of one table, tablecache-example-flights, and empties it at the end. It exits
// with 2 when the flags are wrong, and with 1 when something fails or a reader has seen a mix of two data sets.
package main

import (
	"context"
	"flag"
	"io"

	"github.com/tablecache-go/tablecache/examples/internal/cli"
)

func main() { cli.Main(run) }

// run is main with all that it touches; it returns the exit status.
func run(ctx context.Context, args []string, out, diag io.Writer) int {
	url, err := parse(args, diag)
	if err == nil {
		err = cli.Interrupted(ctx, demonstrate(ctx, url, out, diag))
	}
	return cli.Status("flights", err, diag)
}

func parse(args []string, diag io.Writer) (url string, err error) {
	flags := flag.NewFlagSet("flights", flag.ContinueOnError)
	flags.StringVar(&url, "redis", "", "`URL` of the server to use, as redis://host:port; none: one embedded in the process")
	err = cli.Parse(flags, args, "[-redis URL]", diag)
	return url, err
}
