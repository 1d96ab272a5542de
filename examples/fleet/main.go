// Fleet shows one table in several processes: an owner that loads flights and keeps changing them, and two readers that serve them
// over HTTP. The process that you start is the visitor: it checks every answer of the readers, kills the owner with SIGKILL again
// and again, and starts another.
//
//	go run ./examples/fleet                                    # with a Redis embedded in the visitor
//	go run ./examples/fleet -mirror                            # the readers keep a mirror, too, and answer every other request from it
//	go run ./examples/fleet -redis redis://localhost:6379      # with yours
//
// On your server it writes to the keys of one table, tablecache-example-fleet, and drops it at the end. Ctrl-C ends the visit, and all
// processes with it. It exits with 2 when the flags are wrong, and with 1 when something fails, a process ends by itself, or an
// answer was a mix of several moments or older than one before.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/tablecache-go/tablecache/examples/internal/cli"
)

func main() { cli.Main(run) }

// run is main with all that it touches; it returns the exit status.
func run(ctx context.Context, args []string, out, diag io.Writer) int {
	o, err := parse(args, diag)
	if err == nil {
		err = cli.Interrupted(ctx, o.start(ctx, out, diag))
	}
	return cli.Status("fleet", err, diag)
}

// role is what one process of the fleet does.
type role string

const (
	visitor role = "visitor"
	owner   role = "owner"
	reader  role = "reader"
)

type options struct {
	role   role
	redis  string
	mirror bool
	stay   time.Duration // of the visitor
	life   time.Duration // of an owner
}

func parse(args []string, diag io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("fleet", flag.ContinueOnError)
	flags.StringVar(&o.redis, "redis", "", "`URL` of the server to use, as redis://host:port; none: one embedded in the visitor")
	flags.BoolVar(&o.mirror, "mirror", false, "the readers keep the table in memory, too, and answer every other request from there")
	flags.DurationVar(&o.stay, "time", 15*time.Second, "how long the visit lasts")
	flags.DurationVar(&o.life, "life", 3*time.Second, "how long an owner lives until it is killed")
	flags.StringVar((*string)(&o.role), "role", string(visitor), "what this process does: the `visitor` starts an owner and readers, which end with their standard input")
	err = cli.Parse(flags, args, "[flags]", diag)
	switch {
	case err != nil:
		return o, err
	case o.stay <= 0 || o.life <= 0:
		return o, fmt.Errorf("%w: -time and -life must be more than 0", cli.ErrUsage)
	case o.role != visitor && o.redis == "":
		return o, fmt.Errorf("%w: only a visitor can embed a redis", cli.ErrUsage)
	}
	return o, nil
}

func (o options) start(ctx context.Context, out, diag io.Writer) error {
	switch o.role {
	case visitor:
		return o.visit(ctx, out, diag)
	case owner:
		return untilLeft(ctx, out, o.own)
	case reader:
		return untilLeft(ctx, out, o.read)
	}
	return fmt.Errorf("%w: no role %q", cli.ErrUsage, o.role)
}

// untilLeft works until the visitor has left, which is no error.
func untilLeft(ctx context.Context, out io.Writer, work func(context.Context, io.Writer) error) error {
	ctx, cancel := whileFed(ctx, os.Stdin)
	defer cancel()
	if err := work(ctx, out); ctx.Err() == nil {
		return err
	}
	return nil
}
