package table

import (
	"cmp"
	"fmt"
	"slices"
)

// Spec says which records a call is about: those whose score in Index lies in one of Intervals
// and for which Recheck, if there is one, holds. They come in the order of Intervals, within one by
// score and then by encoded key. Without intervals there are no records.
type Spec[R any] struct {
	Index     string
	Intervals []Interval    // must not overlap; may be empty; at most 1,000
	Recheck   func(*R) bool // called in the caller's or the stream's goroutine; must not keep the record
	Reverse   bool          // exactly the reverse order
	Limit     int           // only the first so many records; 0 means all
	Note      NoteVersion   // only of a moment at which the note has this version, see IfNote; the zero one is any
}

// Where returns the spec with one more predicate: holds must hold, too.
func (s Spec[R]) Where(holds func(*R) bool) Spec[R] {
	before := s.Recheck
	s.Recheck = holds
	if before != nil {
		s.Recheck = func(r *R) bool { return before(r) && holds(r) }
	}
	return s
}

// Reversed returns the spec with its order reversed.
func (s Spec[R]) Reversed() Spec[R] {
	s.Reverse = !s.Reverse
	return s
}

// Max returns the spec limited to its first n records; 0 means all.
func (s Spec[R]) Max(n int) Spec[R] {
	s.Limit = n
	return s
}

// IfNote returns the spec on a condition: reads of it are answered only of a moment at which the note has version v (see Noted); else they
// end with ErrNoteChanged before any record is yielded. The parts of a Page each are of such a moment. It is for reads alone: what deletes
// or discards records refuses it, and so does Changes of a mirror (ErrInvalidSpec).
func (s Spec[R]) IfNote(v NoteVersion) Spec[R] {
	s.Note = v
	return s
}

// maxIntervals bounds the intervals of a spec, all of which one script may have to read.
const maxIntervals = 1000

func checkIntervals(given []Interval) error {
	if len(given) > maxIntervals {
		return fmt.Errorf("%w: %d intervals, at most %d", ErrInvalidSpec, len(given), maxIntervals)
	}
	for _, i := range given {
		if wrong := i.wrong(); wrong != "" {
			return fmt.Errorf("%w: interval %v: %s", ErrInvalidSpec, i, wrong)
		}
	}
	if len(given) < 2 {
		return nil
	}
	sorted := slices.DeleteFunc(slices.Clone(given), Interval.Empty)
	slices.SortFunc(sorted, func(a, b Interval) int { return cmp.Compare(a.GE, b.GE) })
	for k := 1; k < len(sorted); k++ {
		if sorted[k-1].Intersects(sorted[k]) {
			return fmt.Errorf("%w: intervals %v and %v overlap", ErrInvalidSpec, sorted[k-1], sorted[k])
		}
	}
	return nil
}
