package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/tablecache-go/tablecache/cache"
)

// cover is the first act: some days are covered, and no others.
func (p *play) cover(ctx context.Context) error {
	p.title(fmt.Sprintf("Cover a week: the flights from %v", p.window))
	began := time.Now()
	if err := p.cache.Cover(ctx, byDeparture, p.window.interval()); err != nil {
		return err
	}
	took := time.Since(began)
	began = time.Now()
	n, err := p.read(ctx, p.window, cache.Fresh())
	if err != nil {
		return err
	}
	p.say("%d records, joined by the database, in one merge: %v", n, brief(took))
	p.say("all of them read: %v; they are what SQL says", brief(time.Since(began)))
	return p.refused(ctx, p.window.later(1))
}

// refused fails unless a read that is not wholly covered is refused: half an answer would look like a whole one.
func (p *play) refused(ctx context.Context, w window) error {
	_, err := p.cache.Count(ctx, w.spec(), cache.Fresh())
	if !errors.Is(err, cache.ErrNotCovered) {
		return fmt.Errorf("%w: a window that is not covered: %v, not %w", errWrong, err, cache.ErrNotCovered)
	}
	p.say("%v, of which a day is not covered: %v", w, err)
	return nil
}

// move is the second act: the window moves on, a day at a time, while others read where it was, is and will be.
func (p *play) move(ctx context.Context) error {
	p.title(fmt.Sprintf("Move on by a day, %d times, while others read", moves))
	first, gaps, began := p.window, p.cache.Stats().Gaps, time.Now()
	found, err := during(ctx, []reader{p.wanderer(first), p.wanderer(first), p.wanderer(first)}, func(ctx context.Context) error {
		for range moves {
			p.window = p.window.later(1)
			if err := p.cache.Cover(ctx, byDeparture, p.window.interval()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	p.say("%v for all; fetched were only the %d days that were missing", brief(time.Since(began)), p.cache.Stats().Gaps-gaps)
	var all tally
	for _, t := range found {
		all.answers, all.refusals = all.answers+t.answers, all.refusals+t.refusals
	}
	p.say("answers meanwhile: %d whole, 0 in part; %d reads of what was not covered were refused", all.answers, all.refusals)
	return p.compare(ctx)
}

// wanderer reads days, by chance, of which some are covered at some time: some by what is there, and some fresh.
func (p *play) wanderer(first window) reader {
	return func(ctx context.Context) (bool, error) {
		w := window{first.from.AddDate(0, 0, rand.IntN(week+moves-2)), 1 + rand.IntN(3)}
		freshness := []cache.Freshness{cache.AsIs(), cache.Fresh()}[rand.IntN(2)]
		_, err := p.read(ctx, w, freshness)
		if errors.Is(err, cache.ErrNotCovered) {
			return false, nil
		}
		return err == nil, err
	}
}
