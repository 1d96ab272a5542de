// Command bench measures the table against what one would write by hand on bare go-redis, on a private redis-server over
// loopback, and prints both figures, their ratio and the goal for it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"time"
)

// options are the flags.
type options struct {
	work     *regexp.Regexp
	rounds   int
	count    int
	pool     int
	time     time.Duration
	delay    time.Duration
	profiles profiles
	markdown string
	machine  string // what the figures come from
	parts    parts
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, parseFlags()); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parseFlags() (o options) {
	work := flag.String("work", ".", "measure the lines whose name matches this `regexp` (-list lists them)")
	list := flag.Bool("list", false, "list the names of the lines and exit")
	flag.IntVar(&o.rounds, "rounds", 5, "how often each side is measured, by turns")
	flag.IntVar(&o.count, "records", 200_000, "how many records there are")
	flag.IntVar(&o.pool, "pool", 0, "connections in the pool of each client; 0: what go-redis takes by default")
	flag.DurationVar(&o.time, "time", time.Second, "how long one measurement of many small operations takes")
	flag.DurationVar(&o.delay, "delay", 500*time.Microsecond, "how late answers come over the slow network")
	flag.StringVar(&o.profiles.cpu, "cpuprofile", "", "write a CPU profile of our side in the last round to this `folder`, a file for each line")
	flag.StringVar(&o.profiles.memory, "memprofile", "", "likewise of allocations")
	flag.BoolVar(&o.parts.growth, "growth", false, "instead of the lines: how figures grow from 10,000 to 1,000,000 records")
	flag.BoolVar(&o.parts.allocs, "allocs", false, "instead of the lines: allocations for each record")
	flag.BoolVar(&o.parts.memory, "memory", false, "instead of the lines: memory in Redis for each record")
	flag.BoolVar(&o.parts.trips, "trips", false, "instead of the lines: what one round trip is made of")
	flag.BoolVar(&o.parts.mirror, "mirror", false, "instead of the lines: what a mirror costs, with -records of them")
	flag.BoolVar(&o.parts.cache, "cache", false, "instead of the lines: filling a table from a PostgreSQL, and reading what is covered (-work chooses, too)")
	flag.BoolVar(&o.parts.all, "all", false, "all of these, after the lines")
	flag.StringVar(&o.profiles.commands, "commands", "", "likewise of what Redis did (INFO commandstats)")
	flag.StringVar(&o.markdown, "markdown", "", "write the figures into this `file` too, between its marks")
	flag.Parse()
	if *list {
		for _, l := range slices.Concat(lines, additions, mirrors, fillings, freshReads) {
			fmt.Printf("%-20s %-50s beside: %s\n", l.name, l.what, l.against)
		}
		os.Exit(0)
	}
	o.work = regexp.MustCompile(*work)
	return o
}

func run(ctx context.Context, o options) (err error) {
	b, err := start(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	if b.machine, err = describe(ctx, b); err != nil {
		return err
	}
	fmt.Println(b.machine)
	for _, measure := range o.parts.chosen() {
		if err := measure(b, ctx); err != nil {
			return err
		}
	}
	return nil
}

// parts are what can be measured besides the lines.
type parts struct{ growth, allocs, memory, trips, mirror, cache, all bool }

func (p parts) chosen() (out []func(*bench, context.Context) error) {
	for _, part := range []struct {
		wanted  bool
		measure func(*bench, context.Context) error
	}{
		{p == parts{all: p.all}, (*bench).race},
		{p.allocs || p.all, (*bench).allocations},
		{p.memory || p.all, (*bench).memory},
		{p.trips || p.all, (*bench).trips},
		{p.mirror || p.all, (*bench).mirrorCosts},
		{p.cache || p.all, (*bench).caches},
		{p.growth || p.all, (*bench).growth},
	} {
		if part.wanted {
			out = append(out, part.measure)
		}
	}
	return out
}
