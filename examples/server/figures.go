package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// figures are what one part of a load came to.
type figures struct {
	took     []time.Duration
	mixes    int
	reloads  int
	duration time.Duration
}

func (f *figures) add(o *figures) {
	f.took = append(f.took, o.took...)
	f.mixes += o.mixes
}

// quantile returns the time that a share of the requests stayed within.
func (f *figures) quantile(share float64) time.Duration {
	if len(f.took) == 0 {
		return 0
	}
	slices.Sort(f.took)
	return f.took[int(share*float64(len(f.took)-1))]
}

func print(out io.Writer, calm, busy *figures) error {
	tab := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tab, "reloads\trequests\ta second\tp50\tp99\tmixes\t")
	for _, f := range []*figures{calm, busy} {
		fmt.Fprintf(tab, "%d\t%d\t%.0f\t%v\t%v\t%d\t\n", f.reloads, len(f.took), float64(len(f.took))/f.duration.Seconds(),
			f.quantile(0.50).Round(10*time.Microsecond), f.quantile(0.99).Round(10*time.Microsecond), f.mixes)
	}
	return tab.Flush()
}
