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
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/tablecache-go/tablecache/examples/internal/connect"
)

func main() {
	connect.Silence()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main with all that it touches; it returns the exit status.
func run(ctx context.Context, args []string, out, diag io.Writer) int {
	url, err := parse(args, diag)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err == nil:
		err = demonstrate(ctx, url, out, diag)
	}
	switch {
	case err == nil:
		return 0
	case ctx.Err() != nil:
		err = errors.New("interrupted")
	}
	fmt.Fprintln(diag, "flights:", err)
	if errors.Is(err, errUsage) || errors.Is(err, connect.ErrURL) {
		return 2
	}
	return 1
}

// errUsage: the command line is wrong.
var errUsage = errors.New("wrong usage (see -help)")

func parse(args []string, diag io.Writer) (url string, err error) {
	flags := flag.NewFlagSet("flights", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&url, "redis", "", "`URL` of the server to use, as redis://host:port; none: one embedded in the process")
	err = flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintln(diag, "usage: flights [-redis URL]")
		flags.SetOutput(diag)
		flags.PrintDefaults()
		return "", err
	case err != nil:
		return "", fmt.Errorf("%w: %w", errUsage, err)
	case flags.NArg() > 0:
		return "", fmt.Errorf("%w: unexpected argument %q", errUsage, flags.Arg(0))
	}
	return url, nil
}
