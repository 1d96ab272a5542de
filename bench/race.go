package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// race measures all lines that were asked for and prints each when it is done.
func (b *bench) race(ctx context.Context) error {
	for _, s := range []section{besideBare, besideOurselves, besideMemory} {
		if err := b.raceOf(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// raceOf leaves a section alone of which nothing was asked for.
func (b *bench) raceOf(ctx context.Context, s section) error {
	wanted := slices.DeleteFunc(slices.Clone(s.lines), func(l line) bool { return !b.work.MatchString(l.name) })
	if len(wanted) == 0 {
		return nil
	}
	r := report{mark: s.mark, head: s.head, widths: []int{-40, 11, 11, -9, 11, 13, 8, -6}}
	r.begin()
	for i := range wanted {
		l := &wanted[i]
		o, err := b.contest(ctx, l, max(s.slices, 1))
		if err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
		r.add(l.cells(o)...)
	}
	return r.end(b.options)
}

func (b *bench) contest(ctx context.Context, l *line, slices int) (outcome, error) {
	c, err := l.prepare(ctx, b)
	if err != nil {
		return outcome{}, err
	}
	c.ours = b.profiled(l.name, c.ours)
	return compete(ctx, c, b.rounds, slices)
}

func (l *line) cells(o outcome) []string {
	ratio := median(o.ratio)
	goal, verdict := l.judge(ratio)
	return []string{
		l.what, thousands(median(o.ours)), thousands(median(o.bare)), l.unit, fixed(ratio),
		fixed(percentile(o.ratio, 0)) + ".." + fixed(percentile(o.ratio, 1)), goal, verdict,
	}
}

func (l *line) judge(ratio float64) (goal, verdict string) {
	if l.goal == 0 {
		return "", ""
	}
	sign, verdict := ">= ", "met"
	if !l.least {
		sign = "<= "
	}
	if !l.met(ratio) {
		verdict = "MISSED"
	}
	return sign + strconv.FormatFloat(l.goal, 'f', -1, 64), verdict
}

func fixed(f float64) string { return strconv.FormatFloat(f, 'f', 2, 64) }

// thousands writes a figure without decimals and with commas.
func thousands(f float64) string {
	digits := strconv.FormatFloat(f, 'f', 0, 64)
	var out strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			out.WriteByte(',')
		}
		out.WriteRune(d)
	}
	return out.String()
}
