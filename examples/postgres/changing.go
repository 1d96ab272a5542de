package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tablecache-go/tablecache/cache"
	"github.com/tablecache-go/tablecache/table"
)

// soon is when most changes must be seen; updates is of how many that is measured.
const soon, updates = 100 * time.Millisecond, 20

// change is the third act: somebody changes rows, and fresh reads show it.
func (p *play) change(ctx context.Context) error {
	e, err := newEditor(ctx, p.database)
	if err != nil {
		return err
	}
	defer e.Close()
	p.title(fmt.Sprintf("A row is updated %d times, by %v: nobody tells the cache but the database", updates, e))
	first, err := p.cache.First(ctx, p.window.spec(), cache.Fresh())
	if err != nil {
		return err
	}
	took := make([]time.Duration, updates)
	for i := range took {
		if took[i], err = p.delay(ctx, e, first.ID, int16(1000+i)); err != nil {
			return err
		}
	}
	slices.Sort(took)
	p.say("seen by a fresh read, since the UPDATE was sent: median %v, at most %v", brief(took[updates/2]), brief(took[updates-1]))
	if took[updates/2] > soon {
		return fmt.Errorf("%w: half of them after more than %v", errLate, soon)
	}
	return p.compare(ctx)
}

// delay delays a flight, and returns how long it takes until that is seen.
func (p *play) delay(ctx context.Context, e editor, id int32, minutes int16) (time.Duration, error) {
	began := time.Now()
	if err := e.do(ctx, delayed(id, minutes)); err != nil {
		return 0, err
	}
	return p.until(ctx, began, func(ctx context.Context) (bool, error) {
		f, err := p.cache.Get(ctx, id, cache.Fresh())
		return f.Delay == minutes, err
	})
}

func delayed(id int32, minutes int16) string {
	return fmt.Sprintf("UPDATE tablecache_example.flights SET delay = %d WHERE id = %d", minutes, id)
}

// until asks again and again whether something is so, and returns how long it took since it began.
func (p *play) until(ctx context.Context, began time.Time, is func(context.Context) (bool, error)) (time.Duration, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, longest, errLate)
	defer cancel()
	for {
		switch yes, err := is(ctx); {
		case err != nil && context.Cause(ctx) != nil:
			return 0, context.Cause(ctx)
		case err != nil || yes:
			return time.Since(began), err
		}
	}
}

// rename is the fourth act: one row changes, and with it many records.
func (p *play) rename(ctx context.Context) error {
	e, err := newEditor(ctx, p.database)
	if err != nil {
		return err
	}
	defer e.Close()
	const name = "Somewhere Else"
	code, n := p.busiest()
	p.title(fmt.Sprintf("An airport is renamed, by %v: %s, with %d flights in the window", e, code, n))
	began := time.Now()
	if err := e.do(ctx, fmt.Sprintf("UPDATE tablecache_example.airports SET name = '%s' WHERE code = '%s'", name, code)); err != nil {
		return err
	}
	took, err := p.until(ctx, began, func(ctx context.Context) (bool, error) {
		flights, err := table.Collect(p.cache.Records(ctx, p.window.spec(), cache.Fresh()))
		if err != nil {
			return false, err
		}
		return allOrNone(flights, code, name, n)
	})
	if err != nil {
		return err
	}
	p.say("%d records show it, all in the same answer: %v after the UPDATE was sent", n, brief(took))
	return p.compare(ctx)
}

// busiest returns the airport of most flights in the window, and how many those are.
func (p *play) busiest() (code string, most int) {
	flights := map[string]int{}
	for _, f := range p.flights {
		if f.Departure.Before(p.window.from) || !f.Departure.Before(p.window.to()) {
			continue
		}
		for _, at := range []string{f.Origin, f.Destination} {
			if flights[at]++; flights[at] > most {
				code, most = at, flights[at]
			}
		}
	}
	return code, most
}

// allOrNone tells whether all n flights of an airport have its new name. That some of them have is an error.
func allOrNone(flights []flight, code, name string, n int) (bool, error) {
	renamed := 0
	for _, f := range flights {
		if f.Origin == code && f.OriginName == name || f.Destination == code && f.DestinationName == name {
			renamed++
		}
	}
	if renamed != 0 && renamed != n {
		return false, fmt.Errorf("%w: %d of %d flights have their airport's new name", errWrong, renamed, n)
	}
	return renamed == n, nil
}
