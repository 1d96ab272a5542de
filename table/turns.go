package table

import (
	"slices"
	"sync"
)

// turns lets callers go one after another, in order of arrival, for each key. The zero value is ready.
type turns struct {
	mu    sync.Mutex // guards lines
	lines map[string][]*turn
}

// turn is a place in the line of a key. The first in line has its turn.
type turn struct {
	of   *turns
	key  string
	come chan struct{} // closed by turns when the turn has come
}

// line adds a place to the line of a key.
func (t *turns) line(key string) *turn {
	mine := &turn{of: t, key: key, come: make(chan struct{})}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lines == nil {
		t.lines = make(map[string][]*turn)
	}
	t.lines[key] = append(t.lines[key], mine)
	if len(t.lines[key]) == 1 {
		close(mine.come)
	}
	return mine
}

// end leaves the line, whether the turn has come or not. Then it is the next one's.
func (m *turn) end() {
	t := m.of
	t.mu.Lock()
	defer t.mu.Unlock()
	line := t.lines[m.key]
	at := slices.Index(line, m)
	line = slices.Delete(line, at, at+1)
	if len(line) == 0 {
		delete(t.lines, m.key)
		return
	}
	t.lines[m.key] = line
	if at == 0 {
		close(line[0].come)
	}
}
