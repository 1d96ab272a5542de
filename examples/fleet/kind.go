package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// kind is what a reader answers a request from.
type kind string

const (
	fromReader kind = "reader" // a table.Reader, which asks Redis
	fromMirror kind = "mirror" // a mirror.Mirror, in memory
)

// kinds returns what the readers of a fleet answer from.
func (o options) kinds() []kind {
	if o.mirror {
		return []kind{fromReader, fromMirror}
	}
	return []kind{fromReader}
}

// answers are what was answered from one kind: how long it took, and how old it was at most, as that kind knows it.
type answers struct {
	took []time.Duration
	age  time.Duration
}

func (a *answers) add(took, age time.Duration) {
	a.took = append(a.took, took)
	a.age = max(a.age, age)
}

// quantile returns the time that a share of the answers took at most.
func (a *answers) quantile(share float64) time.Duration {
	slices.Sort(a.took)
	return a.took[int(share*float64(len(a.took)-1))].Round(10 * time.Microsecond)
}

// printKinds prints a line for each kind that has answered.
func printKinds(out io.Writer, of map[kind]*answers) error {
	tab := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tab, "from\tanswers\tp50\tp99\tage\t")
	for _, k := range []kind{fromReader, fromMirror} {
		if a := of[k]; a != nil {
			fmt.Fprintf(tab, "%s\t%d\t%v\t%v\t%s\t\n", k, len(a.took), a.quantile(0.50), a.quantile(0.99), ageOf(a.age))
		}
	}
	return tab.Flush()
}

// ageOf puts the largest age into words. A Reader has none: what it shows is no older than the request.
func ageOf(age time.Duration) string {
	if age == 0 {
		return "none"
	}
	return "<= " + age.Round(time.Millisecond).String()
}
