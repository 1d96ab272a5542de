package store

import (
	"sync"

	"github.com/tablecache-go/tablecache/cleanup"
)

// running is the latest task of one kind in the pool. Once it is stopped there is no other.
type running struct {
	mu      sync.Mutex // guards all below but wg
	task    *cleanup.Task
	stopped bool
	wg      sync.WaitGroup // of what waits for tasks
}

// Stop ends a task under way, and waits for that. The next owner goes on with it.
func (r *running) Stop() {
	r.mu.Lock()
	r.stopped = true
	task := r.task
	r.mu.Unlock()
	if task != nil {
		task.Stop()
	}
	r.wg.Wait()
}
