package cleanup

import (
	"context"
	"sync"
)

// standard is the pool of all tables that were given none. It is the only state of the package: a bound on the work of
// a whole process has to be known to the whole process.
var standard struct {
	mu    sync.Mutex // guards pool and users
	pool  *Pool      // nil while nobody uses it
	users int
}

// Acquire returns the default pool of the process. The first call starts it; the last release stops it, as Close does,
// and waits for its workers. A release may be called more than once; only the first counts.
func Acquire() (p *Pool, release func()) {
	standard.mu.Lock()
	defer standard.mu.Unlock()
	if standard.users == 0 {
		standard.pool = NewPool(defaultWorkers)
	}
	standard.users++
	return standard.pool, sync.OnceFunc(dismiss)
}

func dismiss() {
	if p := lastUse(); p != nil {
		_ = p.Close(context.Background()) // only a context can fail it
	}
}

// lastUse gives up one use, and returns the pool when that was the last.
func lastUse() *Pool {
	standard.mu.Lock()
	defer standard.mu.Unlock()
	standard.users--
	if standard.users > 0 {
		return nil
	}
	p := standard.pool
	standard.pool = nil
	return p
}
