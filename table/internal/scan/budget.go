package scan

import "sync"

// budget is the memory that readers in a hurry, and those that copy, share. It is given out in order of arrival.
type budget struct {
	total   int64
	mu      sync.Mutex // guards all below
	free    int64
	waiting []*grant
}

// grant is a share of a budget. It is given when ready is closed, and lasts until it is given back.
type grant struct {
	size  int64
	ready chan struct{}
}

func newBudget(bytes int64) *budget { return &budget{total: bytes, free: bytes} }

// request returns a grant of size bytes, which may be given later. Give the grant back even if it was never given.
func (b *budget) request(size int64) *grant {
	b.mu.Lock()
	defer b.mu.Unlock()
	g := &grant{size: size, ready: make(chan struct{})}
	if size <= b.total { // a grant that can never be given must not hold up others
		b.waiting = append(b.waiting, g)
	}
	b.serve()
	return g
}

// giveBack ends a grant.
func (b *budget) giveBack(g *grant) {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case <-g.ready:
		b.free += g.size
	default:
		b.forget(g)
	}
	b.serve()
}

// share is what one copy has taken of a budget.
type share struct {
	budget *budget
	taken  int64
}

// take takes more bytes, if there are.
func (s *share) take(size int64) bool {
	if !s.budget.take(size) {
		return false
	}
	s.taken += size
	return true
}

// free gives bytes back, but no more than were taken.
func (s *share) free(size int64) {
	size = min(size, s.taken)
	s.taken -= size
	s.budget.put(size)
}

// release gives everything back.
func (s *share) release() { s.free(s.taken) }

// take takes size bytes if they are free and nobody waits for memory. Return them with put.
func (b *budget) take(size int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) > 0 || size > b.free {
		return false
	}
	b.free -= size
	return true
}

func (b *budget) put(size int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free += size
	b.serve()
}

func (b *budget) forget(g *grant) {
	for i := range b.waiting {
		if b.waiting[i] == g {
			b.waiting = append(b.waiting[:i], b.waiting[i+1:]...)
			return
		}
	}
}

func (b *budget) serve() {
	for len(b.waiting) > 0 && b.waiting[0].size <= b.free {
		g := b.waiting[0]
		b.waiting = b.waiting[1:]
		b.free -= g.size
		close(g.ready)
	}
}

// given tells whether the grant has been given.
func (g *grant) given() bool {
	select {
	case <-g.ready:
		return true
	default:
		return false
	}
}
