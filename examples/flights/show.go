package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/tablecache-go/tablecache/examples/internal/flightdata"
)

const day = "2 January 2006"

// shown is how many lines of a long answer are printed.
const shown = 8

func (d *demo) showDay(ctx context.Context, w io.Writer) error {
	from := time.Date(2001, time.February, 17, 0, 0, 0, 0, time.UTC)
	spec := d.table.Range(flightdata.ByDeparture, flightdata.Score(from), flightdata.Score(from.AddDate(0, 0, 1)))
	return list(w, d.table.Records(ctx, spec))
}

func (d *demo) showDelays(ctx context.Context, w io.Writer) error {
	return list(w, d.table.Records(ctx, d.table.All(flightdata.ByDelay).Reversed().Max(10)))
}

func (d *demo) showKeys(ctx context.Context, w io.Writer) error {
	return list(w, d.table.Lookup(ctx, 12158, 1, 20_001, 20_000))
}

// list prints an answer: its first lines, and how many more there are. It reads the answer to its end.
func list(w io.Writer, flights iter.Seq2[flight, error]) error {
	tab := newTabular(w)
	tab.line("FLIGHT\tDEPARTURE\tDELAY\tFROM\tTO\tMILES")
	n := 0
	for f, err := range flights {
		if err != nil {
			return err
		}
		if n++; n <= shown+2 { // rather ten lines than eight and "2 more"
			row(tab, f)
		}
	}
	if err := tab.Flush(); err != nil {
		return err
	}
	if n > shown+2 {
		fmt.Fprintf(w, "   … and %d more\n", n-shown-2)
	}
	return nil
}

func row(tab tabular, f flight) {
	tab.line("%6d\t%s\t%+5d\t%s\t%s\t%5d", f.ID, f.Departure.Format("Mon 2 Jan 15:04"), f.Delay,
		place(f.Origin), place(f.Destination), f.Distance)
}

func place(a flightdata.Airport) string { return fmt.Sprintf("%s %s, %s", a.Code, a.City, a.State) }
