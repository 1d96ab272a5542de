package main

import (
	"bytes"
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// steps runs steps up to the first that fails, and prints each with its number and the time it took.
type steps struct {
	out io.Writer
	n   int
	err error
}

func (s *steps) do(title string, step func(io.Writer) error) {
	if s.err != nil {
		return
	}
	var body bytes.Buffer
	start := time.Now()
	s.err = step(&body)
	took := time.Since(start)
	s.n++
	fmt.Fprintf(s.out, "\n%d. %-60s %10s\n", s.n, title, brief(took))
	_, _ = body.WriteTo(s.out)
}

// brief rounds a duration to what a reader wants to know.
func brief(d time.Duration) time.Duration {
	if d < time.Millisecond {
		return d.Round(time.Microsecond)
	}
	return d.Round(100 * time.Microsecond)
}

// tabular writes an indented table: format and values of one line each, cells between tabs.
type tabular struct{ *tabwriter.Writer }

func newTabular(w io.Writer) tabular {
	return tabular{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
}

func (t tabular) line(format string, values ...any) {
	fmt.Fprintf(t, "   "+format+"\n", values...)
}
