// Fleet shows a service as it runs on many machines: three equal processes that serve flights over HTTP, each by turns from a mirror in
// its own memory and from a Reader, for the figures to show both. One of them owns the table, reloads it every second, and does the bookings that all take in. The process that you start is
// the visitor and the operator. It sends requests, checks every answer, and meanwhile deploys a version of the service with one more
// attribute and one more index, kills the owner with SIGKILL, and stops the next one with SIGSTOP for twice its lease.
//
//	go run ./examples/fleet                                    # with a Redis embedded in the visitor
//	go run ./examples/fleet -redis redis://localhost:6379      # with yours, redis-cluster://… or redis-sentinel://…?master_name=…
//
// On your server it writes to keys that begin with {tablecache-example-fleet}, and removes them at the end. Ctrl-C ends all processes.
// It exits with 2 when the flags are wrong, and with 1 when something fails: a request, a process that ends by itself, an answer
// that is a mix of several moments, is older than one before, or does not show what was written.
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
		err = cli.Interrupted(ctx, o.start(ctx, out))
	}
	return cli.Status("fleet", err, diag)
}

// role is what one process of the fleet does.
type role string

const (
	asVisitor role = "visitor"
	asReplica role = "replica"
)

type options struct {
	role    role
	redis   string
	act     time.Duration // how long an act lasts
	lease   time.Duration
	every   time.Duration // reloads
	version int           // of the service
	mirror  bool
	diag    io.Writer
}

func parse(args []string, diag io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("fleet", flag.ContinueOnError)
	flags.StringVar(&o.redis, "redis", "", "`URL` of the server to use, as redis://host:port; none: one embedded in the visitor")
	flags.DurationVar(&o.act, "time", 3*time.Second, "how long each of the four acts lasts, at least")
	flags.DurationVar(&o.lease, "lease", time.Second, "for how long an owner may be silent until another takes over")
	flags.DurationVar(&o.every, "reload", time.Second, "how often the owner reloads all flights")
	flags.BoolVar(&o.mirror, "mirror", true, "every other answer comes from a mirror; =false: all come from a Reader, which asks Redis")
	flags.IntVar(&o.version, "version", 1, "of the service, 1 or 2: what a replica is")
	flags.StringVar((*string)(&o.role), "role", string(asVisitor), "what this process is: the `visitor`, who starts the others, or a replica, which ends with its standard input")
	o.diag = diag
	err = cli.Parse(flags, args, "[flags]", diag)
	switch {
	case err != nil:
		return o, err
	case o.act <= 0 || o.lease <= 0 || o.every <= 0:
		return o, fmt.Errorf("%w: -time, -lease and -reload must be more than 0", cli.ErrUsage)
	case o.version != 1 && o.version != 2:
		return o, fmt.Errorf("%w: no version %d", cli.ErrUsage, o.version)
	case o.role != asVisitor && o.redis == "":
		return o, fmt.Errorf("%w: only a visitor can embed a redis", cli.ErrUsage)
	}
	return o, nil
}

func (o options) start(ctx context.Context, out io.Writer) error {
	switch o.role {
	case asVisitor:
		return o.visit(ctx, out)
	case asReplica:
		ctx, cancel := whileFed(ctx, os.Stdin)
		defer cancel()
		if err := o.serve(ctx, out); ctx.Err() == nil {
			return err
		}
		return nil
	}
	return fmt.Errorf("%w: no role %q", cli.ErrUsage, o.role)
}
