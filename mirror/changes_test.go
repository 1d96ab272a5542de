package mirror_test

import (
	"iter"
	"testing"
)

// nextChange returns a function that returns the next change, or fails the test when none comes.
func nextChange(seq iter.Seq2[change, error]) (next func(testing.TB) (change, error, bool), stop func()) {
	type told struct {
		c   change
		err error
	}
	changes, left, ended := make(chan told), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		defer close(changes)
		for c, err := range seq {
			select {
			case changes <- told{c, err}:
			case <-left:
				return
			}
		}
	}()
	next = func(t testing.TB) (change, error, bool) {
		t.Helper()
		one := receive(t, "a change", changes)
		return one.c, one.err, true
	}
	return next, func() {
		close(left)
	}
}
