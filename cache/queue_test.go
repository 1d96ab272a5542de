package cache_test

import (
	"context"
	"sync"
	"testing"

	"github.com/tablecache-go/tablecache/cache"
	"github.com/tablecache-go/tablecache/table"
)

// waited is a context that tells when somebody waits for its end.
type waited struct {
	context.Context
	once *sync.Once
	is   chan struct{}
}

func (w waited) Done() <-chan struct{} {
	w.once.Do(func() { close(w.is) })
	return w.Context.Done()
}

// C4, C5: a fetch serves all who have asked before it began, however often something is invalidated meanwhile: none of them waits for
// another one.
func TestC5_OneFetchServesAllWhoHaveAskedBefore(t *testing.T) {
	t.Parallel()
	src, g := newSource(numbered(0, 100)...), newGate()
	c := covering(t, src, from(0, 20))
	invalidate := func() error {
		if err := c.InvalidateKeys(3); err != nil {
			return err
		}
		return c.Invalidate("at", from(0, 10))
	}
	src.set(func(s *source) {
		s.before = g.pass
		s.after = func(context.Context) error { return invalidate() }
	})
	fetches := src.count()
	var reads []<-chan error
	for range 10 {
		ok(t, invalidate())
		w := waited{t.Context(), new(sync.Once), make(chan struct{})}
		reads = append(reads, async(t, func() error {
			_, err := table.Collect(c.Records(w, at(from(0, 10)), cache.Fresh()))
			return err
		}))
		receive(t, w.is)
	}
	close(g.opened)
	for _, r := range reads {
		ok(t, receive(t, r))
	}
	if n := src.count() - fetches; n > 6 { // of keys, and of intervals
		t.Errorf("%d fetches", n)
	}
}
