package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// figures are counts since the beginning.
type figures struct{ answers, flights, failed, mixed, back, owners int }

// ledger counts what all visits have found.
type ledger struct {
	mu      sync.Mutex // guards what follows
	figures figures
	reason  error // of the first failure
}

func (l *ledger) add(more figures, reason error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.figures.answers += more.answers
	l.figures.flights += more.flights
	l.figures.failed += more.failed
	l.figures.mixed += more.mixed
	l.figures.back += more.back
	l.figures.owners += more.owners
	if l.reason == nil {
		l.reason = reason
	}
}

func (l *ledger) now() (figures, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.figures, l.reason
}

const lineOf = "%8v %10v %12v %8v %8v %8v %8v\n"

// print prints a line for each second until ctx ends.
func (l *ledger) print(ctx context.Context, out io.Writer) error {
	fmt.Fprintf(out, lineOf, "seconds", "answers", "flights", "failed", "mixed", "back", "owners")
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for second := 1; ; second++ {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		f, _ := l.now()
		fmt.Fprintf(out, lineOf, second, f.answers, f.flights, f.failed, f.mixed, f.back, f.owners)
	}
}

// verdict prints the sum, and returns an error if anything was wrong.
func (l *ledger) verdict(out io.Writer) error {
	f, reason := l.now()
	fmt.Fprintf(out, "%d answers with %d flights while %d owners came and went by SIGKILL: %d failed, %d mixed, %d went back\n",
		f.answers, f.flights, f.owners, f.failed, f.mixed, f.back)
	switch {
	case f.failed > 0:
		return fmt.Errorf("%d reads have failed, the first one: %w", f.failed, reason)
	case f.mixed > 0 || f.back > 0:
		return errors.New("answers were wrong")
	case f.answers == 0:
		return errors.New("there was no answer")
	}
	return nil
}

// memory is what one visitor has seen: the latest revision of each hour.
type memory struct {
	hours  []hour
	latest map[int]uint32
}

// check checks an answer.
func (m *memory) check(parts []seen, all bool) figures {
	f := figures{answers: 1}
	if m.isMixed(parts) || all && !m.isOneMoment(parts) {
		f.mixed = 1
	}
	for _, p := range parts {
		f.flights += p.Flights
		if p.Revision < m.latest[p.Hour] {
			f.back = 1
		}
		m.latest[p.Hour] = max(m.latest[p.Hour], p.Revision)
	}
	return f
}

// isMixed tells whether an hour in an answer is not as one change has left it.
func (m *memory) isMixed(parts []seen) bool {
	for _, p := range parts {
		isItsOwn := p.Revision%perReload == 0 || hourOf(p.Revision, len(m.hours)) == p.Hour
		if p.Mixed || p.Flights != len(m.hours[p.Hour].flights) || !isItsOwn {
			return true
		}
	}
	return len(parts) == 0
}

// isOneMoment tells whether all hours are as they stood after the latest change among them.
func (m *memory) isOneMoment(parts []seen) bool {
	var change uint32
	for _, p := range parts {
		change = max(change, p.Revision)
	}
	for _, p := range parts {
		if p.Revision != revisionAt(change, p.Hour, len(m.hours)) {
			return false
		}
	}
	return len(parts) == len(m.hours)
}
