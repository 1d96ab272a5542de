package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"
)

// within is the goal for what one script may take on the server, but for one in a hundred.
const within = 5 * time.Millisecond

// phase is work of ours whose commands are looked at in Redis's SLOWLOG.
type phase struct {
	what string
	do   func(context.Context) error
}

// durations tells for how long the scripts of each kind of work occupy the server, and all other commands, among them those
// that scripts call.
func (s *sides) durations(ctx context.Context) error {
	b := s.b
	r := report{mark: "durations", head: []string{"on the server, ms",
		"scripts", "median", "p99", "longest", "other commands", "p99", "longest", "goal", ""},
		widths: []int{-44, 8, 7, 7, 8, 15, 7, 8, 5, -6}}
	r.begin()
	err := errors.Join(b.configure(ctx, "slowlog-max-len", "1000000"), b.configure(ctx, "slowlog-log-slower-than", "0"))
	if err != nil {
		return err
	}
	for _, p := range s.phases() {
		scripts, others, err := s.watched(ctx, p.do)
		if err != nil {
			return err
		}
		verdict := "met"
		if percentile(scripts, 0.99) > micros(within)/1000 {
			verdict = "MISSED"
		}
		r.add(p.what, thousands(float64(len(scripts))),
			fixed(median(scripts)), fixed(percentile(scripts, 0.99)), fixed(percentile(scripts, 1)),
			thousands(float64(len(others))), fixed(percentile(others, 0.99)), fixed(percentile(others, 1)), "< 5", verdict)
	}
	return errors.Join(b.configure(ctx, "slowlog-log-slower-than", "-1"), r.end(b.options))
}

func (b *bench) configure(ctx context.Context, key, value string) error {
	return b.bare.ConfigSet(ctx, key, value).Err()
}

// watched returns how many milliseconds each script, and each other command, took that do has sent.
func (s *sides) watched(ctx context.Context, do func(context.Context) error) (scripts, others []float64, err error) {
	err = errors.Join(s.b.settled(ctx), s.b.bare.SlowLogReset(ctx).Err(), do(ctx))
	const all = -1
	entries, failed := s.b.bare.SlowLogGet(ctx, all).Result()
	for _, e := range entries {
		switch name := strings.ToLower(e.Args[0]); {
		case strings.HasPrefix(name, "eval"):
			scripts = append(scripts, micros(e.Duration)/1000)
		case name != "slowlog" && name != "config":
			others = append(others, micros(e.Duration)/1000)
		}
	}
	return scripts, others, errors.Join(err, failed)
}

// phases are in the order in which they are done: what they put, stage and delete comes to the table again.
func (s *sides) phases() []phase {
	b, random := s.b, rand.New(rand.NewPCG(5, 6))
	some := b.records[:min(200_000, len(b.records))]
	part := departing(0, len(some)/2)
	spec := s.table.Range(byDeparture, part.GE, part.LT)
	return []phase{
		{"Put, 1,000 a call", func(ctx context.Context) error { return s.putMany(ctx, some) }},
		{"Put one record", times(2000, func(ctx context.Context) error { return s.table.Put(ctx, *b.any(random)) })},
		{"Put all again, as they were", func(ctx context.Context) error { return s.putMany(ctx, b.records) }},
		{"range of 100", times(2000, func(ctx context.Context) error { return s.oursBetween(ctx, random.IntN(len(some)), 100) })},
		{"look-up by key", times(2000, func(ctx context.Context) error { _, err := s.table.Get(ctx, b.any(random).ID); return err })},
		{"look-up of 1,000 keys", times(200, func(ctx context.Context) error { return s.lookMany(ctx, random, 1000) })},
		{"stream of all", func(ctx context.Context) error { _, err := s.recordsOfAll(ctx); return err }},
		{"Count of half", times(200, func(ctx context.Context) error { _, err := s.table.Count(ctx, s.table.All(byPrice)); return err })},
		{"Delete by interval", func(ctx context.Context) error { _, err := s.table.Delete(ctx, spec); return err }},
		{"ScratchPut, 1,000 a call", func(ctx context.Context) error { return s.stageMany(ctx, some) }},
		{"ScratchDiscard by interval", func(ctx context.Context) error { _, err := s.table.ScratchDiscard(ctx, spec); return err }},
		{"ScratchAbort", func(ctx context.Context) error { return s.table.ScratchAbort(ctx) }},
		{"ScratchMerge, fold, ranges of 100 meanwhile", func(ctx context.Context) error { return s.foldWatched(ctx, some, s.rangesUntil) }},
		{"ScratchMerge, fold, a stream meanwhile", func(ctx context.Context) error { return s.foldWatched(ctx, some, s.streamDuring) }},
		{"ScratchDiscard of everything", s.discardAll},
		{"ScratchPut of everything, 1,000 a call", func(ctx context.Context) error { return s.stageMany(ctx, b.records) }},
		{"ScratchMerge and fold of everything", func(ctx context.Context) error {
			return errors.Join(s.table.ScratchMerge(ctx), s.table.WaitClear(ctx))
		}},
		{"Clear", func(ctx context.Context) error { return s.table.Clear(ctx) }},
	}
}

func times(n int, do func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) (err error) {
		for i := 0; i < n && err == nil; i++ {
			err = do(ctx)
		}
		return err
	}
}

func (s *sides) lookMany(ctx context.Context, random *rand.Rand, n int) error {
	keys := make([]int64, n)
	for i := range keys {
		keys[i] = s.b.any(random).ID
	}
	for _, err := range s.table.Lookup(ctx, keys...) {
		if err != nil {
			return err
		}
	}
	return nil
}

// foldWatched stages and merges records, and reads while they are folded. Staging is watched as well: its commands are short.
func (s *sides) foldWatched(ctx context.Context, records []record, read func(context.Context) error) error {
	if _, err := s.merged(ctx, records); err != nil {
		return err
	}
	return errors.Join(read(ctx), s.table.WaitClear(ctx))
}

func (s *sides) rangesUntil(ctx context.Context) error {
	_, err := s.slowest(ctx, s.table.WaitClear)
	return err
}

func (s *sides) streamDuring(ctx context.Context) error {
	_, err := s.recordsOfAll(ctx)
	return err
}
