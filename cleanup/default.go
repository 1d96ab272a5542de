package cleanup

import (
	"context"
	"sync"
)

// shared is the default pool of the process, for all tables that were given no pool. It is the only global state of the
// package: a limit on the work of a whole process needs one place in the process.
var shared struct {
	mu    sync.Mutex // guards pool and users
	pool  *Pool      // nil while nobody uses it
	users int
}

// Acquire returns the default pool of the process. The first call starts it; the last release stops it, as Close does,
// and waits for its workers. A release may be called more than once; only the first counts.
func Acquire() (p *Pool, release func()) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.users == 0 {
		shared.pool = NewPool(defaultWorkers)
	}
	shared.users++
	return shared.pool, sync.OnceFunc(releaseShared)
}

func releaseShared() {
	if p := removeUser(); p != nil {
		_ = p.Close(context.Background()) // Close only fails when its context ends
	}
}

// removeUser removes one user. If it was the last, it takes the pool out of shared and returns it.
func removeUser() *Pool {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	shared.users--
	if shared.users > 0 {
		return nil
	}
	p := shared.pool
	shared.pool = nil
	return p
}
