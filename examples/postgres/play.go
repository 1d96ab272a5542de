package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tablecache-go/tablecache/cache"
	"github.com/tablecache-go/tablecache/table"
)

// week is how many days are covered; so often the window moves on by one.
const week, moves = 7, 5

var (
	errWrong = errors.New("an answer is not what the database has")
	errLate  = errors.New("changes are seen too late")
)

// play plays the acts.
type play struct {
	*setting
	cache  *departures
	window window // what is covered
	outage outage
	acts   int // that were begun

	flights map[int32]flight // what the database has, by key, of all days that an act is about
}

// newPlay returns a play with the line of the setting as what is cut.
func newPlay(ctx context.Context, s *setting, c *departures) (*play, error) {
	p := &play{setting: s, cache: c, window: window{firstDay, week}, outage: cutting(s.database.line)}
	return p, p.learn(ctx)
}

// learn asks the database what there is now.
func (p *play) learn(ctx context.Context) error {
	all, err := p.database.flights(ctx, window{firstDay, week + moves})
	p.flights = make(map[int32]flight, len(all))
	for _, f := range all {
		p.flights[f.ID] = f
	}
	return err
}

func (p *play) play(ctx context.Context) error {
	for _, act := range []func(context.Context) error{p.cover, p.move, p.change, p.rename, p.lose} {
		if err := act(ctx); err != nil {
			return err
		}
	}
	return nil
}

// title begins an act.
func (p *play) title(text string) {
	p.acts++
	fmt.Fprintf(p.out, "\n%d. %s\n", p.acts, text)
}

func (p *play) say(format string, values ...any) {
	fmt.Fprintf(p.out, "   "+format+"\n", values...)
}

// brief rounds a duration to what people want to know.
func brief(d time.Duration) time.Duration {
	if d < time.Millisecond {
		return d.Round(time.Microsecond)
	}
	return d.Round(100 * time.Microsecond)
}

// read reads a window, and fails unless it is just what the database had when it was asked last.
func (p *play) read(ctx context.Context, w window, f cache.Freshness) (n int, err error) {
	flights, err := table.Collect(p.cache.Records(ctx, w.spec(), f))
	if err != nil {
		return 0, err
	}
	return len(flights), p.check(flights, w)
}

// check fails unless an answer has each flight of a window once, as it is known, in the order of departures.
func (p *play) check(flights []flight, w window) error {
	seen := make(map[int32]bool, len(flights))
	for _, f := range flights {
		if f != p.flights[f.ID] || seen[f.ID] {
			return fmt.Errorf("%w: flight %d", errWrong, f.ID)
		}
		seen[f.ID] = true
	}
	if want := p.count(w); len(flights) != want {
		return fmt.Errorf("%w: %d flights from %v, not %d", errWrong, len(flights), w, want)
	}
	if !slices.IsSortedFunc(flights, func(a, b flight) int { return a.Departure.Compare(b.Departure) }) {
		return fmt.Errorf("%w: not in order", errWrong)
	}
	return nil
}

// count returns how many flights are known in a window.
func (p *play) count(w window) (n int) {
	for _, f := range p.flights {
		if !f.Departure.Before(w.from) && f.Departure.Before(w.to()) {
			n++
		}
	}
	return n
}

// compare asks the database what there is now, and fails unless a fresh read of the window shows the same.
func (p *play) compare(ctx context.Context) error {
	if err := p.learn(ctx); err != nil {
		return err
	}
	_, err := p.read(ctx, p.window, cache.Fresh())
	return err
}
