// Postgres shows a cache of a PostgreSQL database, on real data: flights of early 2001, joined with their airports by the database.
//
//	go run ./examples/postgres -pg postgres://localhost/test                                   # with a Redis embedded in the process
//	go run ./examples/postgres -pg postgres://localhost/test -redis redis://localhost:6379     # with yours
//	go run ./examples/postgres -pg postgres://localhost/test -watch                            # change rows yourself, and see them come
//
// The part to learn from is departures.go. The rest plays five acts with it: a week is covered; the week moves on while others read; a row is
// changed, in psql if there is one; an airport is renamed, and all its flights with it; and the database is away for a while, as the cache sees it, for a line
// between the two is cut. Every answer is checked.
//
// In your database it makes a schema, tablecache_example, and on your Redis a table, tablecache-example-departures. Both are removed at the
// end, and before the beginning. It exits with 2 when the flags are wrong, and with 1 when something fails: an answer is wrong or not
// whole, or half of the changes are seen later than after 100 ms.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"

	"github.com/tablecache-go/tablecache/examples/internal/cli"
)

func main() { cli.Main(run) }

// options is what the command line says.
type options struct {
	pg, redis string
	watch     bool
}

// run is main with all that it touches; it returns the exit status.
func run(ctx context.Context, args []string, out, diag io.Writer) int {
	o, err := parse(args, diag)
	if err == nil {
		err = cli.Interrupted(ctx, o.start(ctx, out))
	}
	return cli.Status("postgres", err, diag)
}

func parse(args []string, diag io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("postgres", flag.ContinueOnError)
	flags.StringVar(&o.pg, "pg", "", "`URL` of the database to use, as postgres://user:password@host:port/database")
	flags.StringVar(&o.redis, "redis", "", "`URL` of the server to use, as redis://host:port; none: one embedded in the process")
	flags.BoolVar(&o.watch, "watch", false, "play nothing: print what others change, until Ctrl-C")
	err = cli.Parse(flags, args, "-pg URL [-redis URL] [-watch]", diag)
	if err == nil && o.pg == "" {
		err = fmt.Errorf("%w: -pg is missing", cli.ErrUsage)
	}
	return o, err
}

// start does what the program is for: acts, or watching.
func (o options) start(ctx context.Context, out io.Writer) error {
	s, err := open(ctx, o, out)
	if err != nil {
		return err
	}
	defer s.close()
	if o.watch {
		return s.watch(ctx)
	}
	return s.run(ctx, func(ctx context.Context, c *departures) error {
		p, err := newPlay(ctx, s, c)
		if err != nil {
			return err
		}
		return p.play(ctx)
	})
}
