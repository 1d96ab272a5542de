package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/tablecache-go/tablecache/examples/internal/flightdata"
	"github.com/tablecache-go/tablecache/table"
)

// readers is how many goroutines read the month over and over while it is reloaded.
const readers = 4

// errMix would mean that a guarantee of the library does not hold.
var errMix = errors.New("a reader has seen a mix of two data sets")

// reload replaces the flights of a month, with their delays recomputed, while readers keep streaming the whole month.
func (d *demo) reload(ctx context.Context, w io.Writer) error {
	from := time.Date(2001, time.February, 1, 0, 0, 0, 0, time.UTC)
	month := d.table.Range(flightdata.ByDeparture, flightdata.Score(from), flightdata.Score(from.AddDate(0, 1, 0)))
	before := within(d.flights, from, from.AddDate(0, 1, 0))
	after := recomputed(before)

	watch := startWatch(ctx, d.table, month, summary(before), summary(after))
	err := watch.ready(ctx)
	if err == nil {
		err = d.replace(ctx, w, month, after)
	}
	seen, watchErr := watch.stop()
	if err = errors.Join(err, watchErr); err != nil {
		return err
	}
	return seen.print(w)
}

// replace stages a new content of month and merges it, and prints what each part of that took.
func (d *demo) replace(ctx context.Context, w io.Writer, month table.Spec[flight], fresh []flight) error {
	session, err := d.table.Scratch(ctx)
	if err != nil {
		return err
	}
	defer session.Abort(ctx) // does nothing after the merge
	parts := []struct {
		name string
		run  func() (rows int, err error)
	}{
		{"discard what is there", func() (int, error) { return session.Discard(ctx, month) }},
		{"stage the new delays", func() (int, error) { return len(fresh), stage(ctx, session, fresh) }},
		{"merge: all at once", func() (int, error) { return len(fresh), session.Merge(ctx, nil) }},
		{"fold, in the background", func() (int, error) { return len(fresh), d.table.WaitClear(ctx) }},
	}
	tab := newTabular(w)
	for _, part := range parts {
		start := time.Now()
		rows, err := part.run()
		if err != nil {
			return err
		}
		tab.line("%s\t%6d rows\t%10s", part.name, rows, brief(time.Since(start)))
	}
	return tab.Flush()
}

func stage(ctx context.Context, session *table.Scratch[flight, int32], fresh []flight) error {
	for part := range slices.Chunk(fresh, chunk) {
		if err := session.Put(ctx, part...); err != nil {
			return err
		}
	}
	return nil
}

func within(flights []flight, from, to time.Time) (found []flight) {
	for _, f := range flights {
		if !f.Departure.Before(from) && f.Departure.Before(to) {
			found = append(found, f)
		}
	}
	return found
}

// recomputed returns the flights anew, with who left early counted as on time.
func recomputed(flights []flight) []flight {
	fresh := slices.Clone(flights)
	for i := range fresh {
		fresh[i].Delay = max(fresh[i].Delay, 0)
		fresh[i].Revision++
	}
	return fresh
}

func (s seen) print(w io.Writer) error {
	tab := newTabular(w)
	tab.line("%d readers meanwhile saw\t%6d old sets", readers, s.old)
	tab.line("\t%6d new sets", s.fresh)
	tab.line("\t%6d mixed ones", s.mix)
	if err := tab.Flush(); err != nil {
		return err
	}
	if s.mix > 0 {
		return fmt.Errorf("%w: %d times", errMix, s.mix)
	}
	return nil
}
