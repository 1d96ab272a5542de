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

// ledger counts what all visitors have found.
type ledger struct {
	mu      sync.Mutex // guards what follows
	figures figures
	kinds   map[kind]*answers
	failure error // of the first read that has failed
	wrong   error // what the first wrong answer showed
}

// failed notes a read that has failed.
func (l *ledger) failed(reason error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.figures.failed++
	if l.failure == nil {
		l.failure = reason
	}
}

// answered notes an answer, and what is wrong with it.
func (l *ledger) answered(flights int, wrong error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.figures.answers++
	l.figures.flights += flights
	switch {
	case errors.Is(wrong, errMixed):
		l.figures.mixed++
	case errors.Is(wrong, errBack):
		l.figures.back++
	}
	if l.wrong == nil {
		l.wrong = wrong
	}
}

// timed notes how long an answer took, and how old it was at most.
func (l *ledger) timed(k kind, took, age time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kinds == nil {
		l.kinds = make(map[kind]*answers)
	}
	if l.kinds[k] == nil {
		l.kinds[k] = &answers{}
	}
	l.kinds[k].add(took, age)
}

// owned notes that an owner was started.
func (l *ledger) owned() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.figures.owners++
}

func (l *ledger) now() figures {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.figures
}

const lineOf = "%8v %10v %12v %8v %8v %8v %8v\n"

// print prints a line for each second until ctx ends.
func (l *ledger) print(ctx context.Context, out io.Writer) {
	fmt.Fprintf(out, lineOf, "seconds", "answers", "flights", "failed", "mixed", "back", "owners")
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for second := 1; ; second++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		f := l.now()
		fmt.Fprintf(out, lineOf, second, f.answers, f.flights, f.failed, f.mixed, f.back, f.owners)
	}
}

// verdict prints the sums, and returns an error if anything was wrong.
func (l *ledger) verdict(out io.Writer) error {
	f := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := printKinds(out, l.kinds); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d answers with %d flights while %d owners came and went by SIGKILL: %d failed, %d mixed, %d went back\n",
		f.answers, f.flights, f.owners, f.failed, f.mixed, f.back)
	switch {
	case l.wrong != nil:
		return fmt.Errorf("an answer was wrong: %w", l.wrong)
	case l.failure != nil:
		return fmt.Errorf("a read has failed: %w", l.failure)
	case f.answers == 0:
		return errors.New("there was no answer")
	}
	return nil
}

// What is wrong with an answer.
var (
	errMixed = errors.New("a mix of several moments")
	errBack  = errors.New("older than an answer before")
)

// memory is what one visitor has seen: the latest revision of each wave.
type memory struct {
	waves  []wave
	latest map[int]uint32
}

func newMemory(waves []wave) *memory { return &memory{waves: waves, latest: make(map[int]uint32)} }

// check returns how many flights an answer has, and what is wrong with it.
func (m *memory) check(answer []seen, of request) (flights int, wrong error) {
	if wrong = m.mixed(answer); wrong == nil && of == forAll {
		wrong = m.severalMoments(answer)
	}
	for _, w := range answer {
		flights += w.Flights
		if wrong == nil && w.Revision < m.latest[w.Wave] {
			wrong = fmt.Errorf("%w: wave %d of revision %d behind %d", errBack, w.Wave, w.Revision, m.latest[w.Wave])
		}
		m.latest[w.Wave] = max(m.latest[w.Wave], w.Revision)
	}
	return flights, wrong
}

// mixed says which wave of an answer is not as one change has left it.
func (m *memory) mixed(answer []seen) error {
	if len(answer) == 0 {
		return fmt.Errorf("%w: no flights", errMixed)
	}
	for _, w := range answer {
		stored := len(m.waves[w.Wave].flights)
		isItsOwn := w.Revision%perReload == 0 || waveOf(w.Revision, len(m.waves)) == w.Wave
		if w.Mixed || w.Flights != stored || !isItsOwn {
			return fmt.Errorf("%w: %d flights of the %d in wave %d, at revision %d (and others: %t)",
				errMixed, w.Flights, stored, w.Wave, w.Revision, w.Mixed)
		}
	}
	return nil
}

// severalMoments says which wave of an answer with all of them is not as it stood after the latest change among them.
func (m *memory) severalMoments(answer []seen) error {
	if len(answer) != len(m.waves) {
		return fmt.Errorf("%w: %d waves of %d", errMixed, len(answer), len(m.waves))
	}
	var change uint32
	for _, w := range answer {
		change = max(change, w.Revision)
	}
	for _, w := range answer {
		if want := revisionAt(change, w.Wave, len(m.waves)); w.Revision != want {
			return fmt.Errorf("%w: wave %d of revision %d, not %d, beside revision %d", errMixed, w.Wave, w.Revision, want, change)
		}
	}
	return nil
}
