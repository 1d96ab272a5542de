package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// chunk is how many records a source delivers at once; a Put of so many is all or nothing.
const chunk = 1000

func (d *demo) load(ctx context.Context, w io.Writer) error {
	bar := progress(d.diag, len(d.flights))
	for part := range slices.Chunk(d.flights, chunk) {
		if err := d.table.Put(ctx, part...); err != nil {
			return err
		}
		_ = bar.Add(len(part)) // a terminal that has gone is no reason to stop
	}
	_ = bar.Finish()
	st, err := d.table.Stats(ctx)
	if err != nil {
		return err
	}
	first, last := d.flights[0].Departure, d.flights[len(d.flights)-1].Departure
	fmt.Fprintf(w, "   %d records, from %s to %s\n", st.Records, first.Format(day), last.Format(day))
	return nil
}

// progress returns a bar that shows itself on a terminal only, and is wiped when it is full.
func progress(w io.Writer, n int) *progressbar.ProgressBar {
	file, ok := w.(*os.File)
	return progressbar.NewOptions(n,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetVisibility(ok && term.IsTerminal(int(file.Fd()))),
		progressbar.OptionSetDescription("loading"),
		progressbar.OptionSetWidth(40),
		progressbar.OptionShowCount(),
		progressbar.OptionClearOnFinish(),
	)
}
