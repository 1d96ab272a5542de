package mirror

import (
	"sync"

	"github.com/tablecache-go/tablecache/table"
)

// mostPositions bounds how many positions are remembered.
const mostPositions = 8192

// positions are the latest that a mirror has passed, since its last copy: what a copy shows may lack what was shown before.
type positions struct {
	mu     sync.RWMutex // guards what follows
	number map[table.Position]uint64
	ring   []table.Position
	next   int // where in ring the next one is noted
}

// add adds positions that a version shows.
func (p *positions) add(number uint64, passed []table.Position) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.number == nil {
		p.number = make(map[table.Position]uint64)
	}
	for _, at := range passed {
		if _, is := p.number[at]; is {
			continue
		}
		p.number[at] = number
		p.remember(at)
	}
}

// remember notes a position in place of the oldest.
func (p *positions) remember(at table.Position) {
	if len(p.ring) < mostPositions {
		p.ring = append(p.ring, at)
		return
	}
	delete(p.number, p.ring[p.next])
	p.ring[p.next] = at
	p.next = (p.next + 1) % mostPositions
}

func (p *positions) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.number)
	p.ring, p.next = p.ring[:0], 0
}

// shownBy returns the number of the first version that shows what a position stands for; ok is false if it is not known.
func (p *positions) shownBy(at table.Position) (number uint64, ok bool) {
	if at.IsZero() {
		return 0, true
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	number, ok = p.number[at]
	return number, ok
}
