package scan

import (
	"sync"

	"github.com/tablecache-go/tablecache/engine"
)

// tasks are the goroutines that were started for reads.
type tasks struct {
	mu      sync.Mutex // guards stopped, and that nothing starts after wait
	stopped bool
	wg      sync.WaitGroup
}

// start runs f in a goroutine, unless wait has been called: then it returns ErrClosed.
func (t *tasks) start(f func()) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stopped {
		return engine.ErrClosed
	}
	t.wg.Go(f)
	return nil
}

// wait refuses new tasks and waits for those that run.
func (t *tasks) wait() {
	t.mu.Lock()
	t.stopped = true
	t.mu.Unlock()
	t.wg.Wait()
}
