package wire

import (
	"sync/atomic"

	"github.com/tablecache-go/tablecache/table/internal/layout"
)

// epochs remembers the epoch that was read last: nearly all answers are of the same one, which is allocated once. It is safe for
// concurrent use; a nil one remembers nothing.
type epochs struct{ latest atomic.Pointer[layout.Epoch] }

// of returns the epoch that a text is.
func (e *epochs) of(text []byte) layout.Epoch {
	if e == nil {
		return layout.Epoch(text)
	}
	if latest := e.latest.Load(); latest != nil && string(*latest) == string(text) {
		return *latest
	}
	found := layout.Epoch(text)
	e.latest.Store(&found)
	return found
}
