package mirror_test

import (
	"context"
	"errors"
	"iter"
	"maps"
	"runtime"
	"sync"
	"testing"

	"github.com/tablecache-go/tablecache/table"
)

// nextChange returns a function that returns the next change, or fails the test when none comes.
func nextChange(seq iter.Seq2[change, error]) (next func(testing.TB) (change, error), stop func()) {
	type told struct {
		c   change
		err error
	}
	changes, left := make(chan told), make(chan struct{})
	go func() {
		for c, err := range seq {
			select {
			case changes <- told{c, err}:
			case <-left:
				return
			}
		}
	}()
	next = func(t testing.TB) (change, error) {
		t.Helper()
		one := receive(t, "a change", changes)
		return one.c, one.err
	}
	return next, func() { close(left) }
}

// ledger is what a loop over changes adds up to.
type ledger struct {
	testing.TB
	spec  spec
	ended chan struct{}

	mu     sync.Mutex // guards what follows
	has    map[int64]item
	caught bool
}

// keep keeps what changes add up to, until the mirror is closed. It yields so many times before it goes on.
func keep(t testing.TB, m *mirrors, s spec, yields int) *ledger {
	l := &ledger{TB: t, spec: s, ended: make(chan struct{}), has: make(map[int64]item)}
	go func() {
		defer close(l.ended)
		for c, err := range m.Changes(t.Context(), s) {
			switch {
			case errors.Is(err, table.ErrClosed), errors.Is(err, context.Canceled), errors.Is(err, table.ErrPanic):
			case err != nil:
				t.Errorf("changes: %v", err)
			default:
				l.add(c)
			}
			for range 100 * yields {
				runtime.Gosched()
			}
		}
	}()
	return l
}

func (l *ledger) add(c change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	was, is := l.has[c.Key]
	if c.Before != nil && (!is || was != *c.Before) || c.Before == nil && is && c.Kind.String() != "caught" {
		l.Errorf("%v of %v, which was %v %v", c.Kind, c.Before, is, was)
	}
	switch c.Kind.String() {
	case "enter", "update":
		if l.has[c.Key] = *c.After; c.After.ID != c.Key || c.Before != nil && c.After.At != 0 && *c.Before == *c.After {
			l.Errorf("%v of %d: %+v, before %+v", c.Kind, c.Key, c.After, c.Before)
		}
	case "leave":
		if delete(l.has, c.Key); c.After != nil {
			l.Errorf("leaves with %+v", c.After)
		}
	case "caught":
		if l.caught || c.Before != nil || c.After != nil {
			l.Errorf("caught twice, or with %+v", c)
		}
		l.caught = true
	default:
		l.Errorf("a change of kind %v", c.Kind)
	}
}

// equals tells whether the changes add up to what a mirror answers. Its predicate may panic: such records are no part of it.
func (l *ledger) equals(m *mirrors) bool {
	want := make(map[int64]item)
	for i, err := range m.Records(l.Context(), l.spec) {
		if err == nil {
			want[i.ID] = i
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.caught && maps.Equal(l.has, want)
}
