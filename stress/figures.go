package stress

import (
	"fmt"
	"strings"
	"sync"
)

// Figure is how much of something a run has done, beside what it was to do.
type Figure struct {
	Name         string
	Ours, Target float64
	Floor        float64 // less than this fails the run
}

// Figures collects what the tests of one run have done. It is safe for concurrent use; its zero
// value is ready.
type Figures struct {
	mu  sync.Mutex // guards all
	all []Figure
}

// Add adds a figure.
func (f *Figures) Add(one Figure) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = append(f.all, one)
}

// Table returns all figures as text, beside their targets.
func (f *Figures) Table() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.all) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%-58s %12s %12s\n", "figure", "ours", "target")
	for _, one := range f.all {
		fmt.Fprintf(&b, "%-58s %12.6g %12s\n", one.Name, one.Ours, target(one.Target))
	}
	return b.String()
}

func target(v float64) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprintf("%.6g", v)
}

// Missed returns the figures below their floor, each as text: its name, what was done, and what was to be done.
func (f *Figures) Missed() (missed []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, one := range f.all {
		if one.Ours < one.Floor {
			missed = append(missed, fmt.Sprintf("%s: %.6g of %.6g", one.Name, one.Ours, one.Floor))
		}
	}
	return missed
}
