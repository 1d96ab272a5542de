package cli

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

// ErrUsage: the command line is wrong.
var ErrUsage = errors.New("wrong usage (see -help)")

// Main runs a program, whose context ends with Ctrl-C, and exits with the status that it returns.
func Main(run func(ctx context.Context, args []string, out, diag io.Writer) int) {
	connect.Silence()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Parse parses the flags of a program that takes no other arguments. For -help it explains the flags, and returns flag.ErrHelp; what
// is wrong is an ErrUsage.
func Parse(flags *flag.FlagSet, args []string, usage string, diag io.Writer) error {
	flags.SetOutput(io.Discard)
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintln(diag, "usage:", flags.Name(), usage)
		flags.SetOutput(diag)
		flags.PrintDefaults()
		return err
	case err != nil:
		return fmt.Errorf("%w: %w", ErrUsage, err)
	case flags.NArg() > 0:
		return fmt.Errorf("%w: unexpected argument %q", ErrUsage, flags.Arg(0))
	}
	return nil
}

// Status tells what has gone wrong in a program, and returns its exit status: 0 if nothing has or help was asked for, 2 if the command
// line is wrong, else 1.
func Status(program string, err error, diag io.Writer) int {
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return 0
	}
	fmt.Fprintf(diag, "%s: %v\n", program, err)
	if errors.Is(err, ErrUsage) || errors.Is(err, connect.ErrURL) {
		return 2
	}
	return 1
}

// Interrupted returns err, or that the program was interrupted if it has failed because ctx has ended.
func Interrupted(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return errors.New("interrupted")
	}
	return err
}
