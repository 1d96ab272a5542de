package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// figures are what the visitors have found.
type figures struct {
	failed, mixed, back, notRead int
	took                         map[kind][]time.Duration // by each request that was answered
	gap                          time.Duration            // the longest time in which no booking was done, so without an owner at most
}

// ledger counts for all visitors.
type ledger struct {
	mu      sync.Mutex // guards what follows
	act     figures
	all     figures // of the acts before
	last    time.Time
	failure error // of the first request that has failed
	wrong   error // the first wrong answer
}

// begin notes when the visit began.
func (l *ledger) begin(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = now
}

func (l *ledger) answered(from kind, took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.act.add(figures{took: map[kind][]time.Duration{from: {took}}})
}

func (l *ledger) failed(reason error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.act.failed++
	if l.failure == nil {
		l.failure = reason
	}
}

// written notes that a booking was done.
func (l *ledger) written(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.act.gap = max(l.act.gap, now.Sub(l.last))
	l.last = now
}

// found notes what is wrong with an answer; nil: nothing.
func (l *ledger) found(wrong error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case errors.Is(wrong, errMixed):
		l.act.mixed++
	case errors.Is(wrong, errBack):
		l.act.back++
	case errors.Is(wrong, errNotRead):
		l.act.notRead++
	}
	if l.wrong == nil {
		l.wrong = wrong
	}
}

func (f *figures) add(o figures) {
	f.failed, f.mixed, f.back, f.notRead = f.failed+o.failed, f.mixed+o.mixed, f.back+o.back, f.notRead+o.notRead
	f.gap = max(f.gap, o.gap)
	if f.took == nil {
		f.took = make(map[kind][]time.Duration)
	}
	for k, took := range o.took {
		f.took[k] = append(f.took[k], took...)
	}
}

func (f *figures) requests() (n int) {
	for _, took := range f.took {
		n += len(took)
	}
	return n
}

// quantile returns the time that a share of the requests of a kind took at most.
func (f *figures) quantile(of kind, share float64) string {
	took := f.took[of]
	if len(took) == 0 {
		return "-"
	}
	slices.Sort(took)
	return took[int(share*float64(len(took)-1))].Round(10 * time.Microsecond).String()
}

const lineOf = "%-22s %9v %10s %10s %10s %7v %6v %6v %9v %11v\n"

func printHead(out io.Writer) {
	fmt.Fprintf(out, lineOf, "", "", "mirror", "reader", "booking", "", "", "", "", "no owner")
	fmt.Fprintf(out, lineOf, "while", "requests", "p99", "p99", "p99", "failed", "mixed", "back", "not read", "at most")
}

// print prints the figures of an act that ends now, and begins another. A booking that is still waited for counts.
func (l *ledger) print(out io.Writer, act string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.act.gap = max(l.act.gap, now.Sub(l.last))
	l.act.print(out, act)
	l.all.add(l.act)
	l.act = figures{}
}

func (f *figures) print(out io.Writer, name string) {
	fmt.Fprintf(out, lineOf, name, f.requests(), f.quantile(fromMirror, 0.99), f.quantile(fromReader, 0.99), f.quantile(noKind, 0.99),
		f.failed, f.mixed, f.back, f.notRead, f.gap.Round(time.Millisecond))
}

// verdict prints the sums, and returns an error if anything was wrong.
func (l *ledger) verdict(out io.Writer) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all.add(l.act)
	l.all.print(out, "all")
	switch {
	case l.wrong != nil:
		return fmt.Errorf("an answer was wrong: %w", l.wrong)
	case l.failure != nil:
		return fmt.Errorf("a request has failed: %w", l.failure)
	case l.all.requests() == 0:
		return errors.New("there was no answer")
	}
	return nil
}
