package main

import (
	"context"
	"fmt"

	"github.com/tablecache-go/tablecache/mirror"
)

const hint = `
%d flights are covered, from %v. In psql, say:
   UPDATE tablecache_example.flights SET delay = 99 WHERE id = 1;
   UPDATE tablecache_example.airports SET name = 'Motown' WHERE code = 'DTW';
   DELETE FROM tablecache_example.flights WHERE origin = 'ORD' AND departure < '2001-01-02';
Changes are printed as a mirror of the table sees them, as any other process might have one. Ctrl-C removes all.
`

// watch covers a week and prints what changes in it, until ctx ends: that is how it is meant to end.
func (s *setting) watch(ctx context.Context) error {
	s.failures = func(err error) { fmt.Fprintln(s.out, err) }
	return s.run(ctx, func(inner context.Context, c *departures) error {
		err := c.Cover(inner, byDeparture, window{firstDay, week}.interval())
		if err == nil {
			err = s.tell(inner)
		}
		if ctx.Err() != nil {
			return nil
		}
		return err
	})
}

// tell prints each change of what is covered.
func (s *setting) tell(ctx context.Context) error {
	m, err := mirror.Open(ctx, s.redis.Client, definition)
	if err != nil {
		return err
	}
	defer m.Close()
	seen, caught := 0, false
	for change, err := range m.Changes(ctx, m.All(byDeparture)) {
		switch {
		case err != nil:
			return err
		case change.Kind == mirror.Caught:
			caught = true
			fmt.Fprintf(s.out, hint, seen, window{firstDay, week})
		case caught:
			fmt.Fprintln(s.out, describe(change))
		default:
			seen++
		}
	}
	return nil
}

// describe says what has changed.
func describe(c mirror.Change[flight, int32]) string {
	switch {
	case c.Before == nil:
		return "+ " + c.After.String()
	case c.After == nil:
		return "- " + c.Before.String()
	}
	return "~ " + c.After.String()
}

func (f *flight) String() string {
	return fmt.Sprintf("flight %d, %s, %+d minutes, from %s to %s", f.ID, f.Departure.Format("2 January 15:04"), f.Delay, f.OriginName, f.DestinationName)
}
