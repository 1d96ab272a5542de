package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tablecache-go/tablecache/cache"
	"github.com/tablecache-go/tablecache/table"
)

// away is for how long the database is away, and longest how long it may take until what was changed is seen.
const away, longest = time.Second, 20 * time.Second

// late is the delay of the flight that is changed meanwhile.
const late = 4321

// outage takes the database away from the cache, and brings it back. One of the two has a change made of which the cache cannot hear at once.
type outage struct {
	begin, end func(ctx context.Context, change func(context.Context) error) error
}

// cutting cuts a line, and mends it. The database is changed while it is cut.
func cutting(l *line) outage {
	return outage{
		begin: func(ctx context.Context, change func(context.Context) error) error { l.cut(); return change(ctx) },
		end:   func(context.Context, func(context.Context) error) error { l.mend(); return nil },
	}
}

// lose is the fifth act: the database is away, reads go on, and what was changed meanwhile is seen when it is back.
func (p *play) lose(ctx context.Context) error {
	p.title("The database is away, as the cache sees it, and a row is changed")
	some, err := table.Collect(p.cache.Records(ctx, p.window.spec().Max(2), cache.Fresh()))
	if err != nil {
		return err
	}
	told, changed := some[0].ID, some[1].ID
	change := func(ctx context.Context) error { return p.once(ctx, delayed(changed, late)) }
	began := time.Now()
	found, err := during(ctx, []reader{p.content(cache.MaxStale(time.Hour)), p.content(cache.AsIs())}, func(ctx context.Context) error {
		if err := p.outage.begin(ctx, change); err != nil {
			return err
		}
		if err := p.unanswered(ctx, told); err != nil {
			return err
		}
		if err := p.unaware(ctx, changed); err != nil {
			return err
		}
		return stay(ctx, away)
	})
	if err != nil {
		return err
	}
	p.say("answers in %v: %d with MaxStale(1h), %d with AsIs, all whole; 0 reads have failed", brief(time.Since(began)), found[0].answers, found[1].answers)
	return p.back(ctx, changed, change)
}

// stay waits.
func stay(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// once has one statement run by somebody who comes and goes.
func (p *play) once(ctx context.Context, statement string) error {
	e, err := newEditor(ctx, p.database)
	if err != nil {
		return err
	}
	return errors.Join(e.do(ctx, statement), e.Close())
}

// content is satisfied with what is there: it must be all flights of the window, but may be older than what the database has.
func (p *play) content(f cache.Freshness) reader {
	return func(ctx context.Context) (bool, error) {
		n, err := p.cache.Count(ctx, p.window.spec(), f)
		if err == nil && n != p.count(p.window) {
			err = fmt.Errorf("%w: %d flights while it is away", errWrong, n)
		}
		return err == nil, err
	}
}

// unanswered fails unless a fresh read of what is invalid says that the source has failed. The program itself invalidates: nobody else can tell
// it of anything now.
func (p *play) unanswered(ctx context.Context, id int32) error {
	if err := p.cache.InvalidateKeys(id); err != nil {
		return err
	}
	if _, err := p.cache.Get(ctx, id, cache.Fresh()); !errors.Is(err, cache.ErrSource) {
		return fmt.Errorf("%w: a fresh read of what is invalid, while it is away: %v, not %w", errWrong, err, cache.ErrSource)
	}
	p.say("a fresh read of what is invalid: %v", cache.ErrSource)
	return nil
}

// unaware fails unless a fresh read of what was changed is answered as before: fresh means not invalidated.
func (p *play) unaware(ctx context.Context, id int32) error {
	f, err := p.cache.Get(ctx, id, cache.Fresh())
	if err == nil && f != p.flights[id] {
		err = fmt.Errorf("%w: it was changed while it is away", errWrong)
	}
	if err == nil {
		p.say("a fresh read of the row that is changed: as before, for nobody could tell")
	}
	return err
}

// back brings the database back, and waits until its change is seen.
func (p *play) back(ctx context.Context, id int32, change func(context.Context) error) error {
	began := time.Now()
	if err := p.outage.end(ctx, change); err != nil {
		return err
	}
	took, err := p.until(ctx, began, func(ctx context.Context) (bool, error) {
		f, err := p.cache.Get(ctx, id, cache.AsIs()) // asks the database for nothing: somebody must have told
		return f.Delay == late, err
	})
	if err != nil {
		return err
	}
	p.say("it is back: what was changed is seen after %v, and all is what SQL says again", brief(took))
	return p.compare(ctx)
}
