package stress

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/faulty"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/internal/walk"
	"github.com/tablecache-go/tablecache/table"
)

// TestG9_ALateMergeDoesNothing holds a merge up on its way until its number was given up, the merge was done under
// another, and something else is staged: when it arrives then, nothing must come of it.
func TestG9_ALateMergeDoesNothing(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	proxy := faulty.NewProxy(t, server.Socket())
	rdb := server.TCPClient(t, func(o *redis.Options) {
		o.Addr, o.ReadTimeout, o.MaxRetries = proxy.Addr(), 300*time.Millisecond, -1
	})
	tbl, err := table.Open(t.Context(), rdb, itemTable("late"), table.WithFeed(0)) // a feed alone would refuse an entry that is late
	ok(t, err)
	t.Cleanup(func() { tbl.Close() })
	ok(t, tbl.ScratchPut(t.Context(), Item{Key: "a"}))
	h := &holdUp{arrive: make(chan struct{}), arrived: make(chan struct{})}
	arrive := sync.OnceFunc(func() { close(h.arrive) })
	t.Cleanup(arrive)
	proxy.Set(h.hook)
	ok(t, tbl.ScratchMerge(t.Context()))
	if !h.holds() {
		t.Fatal("the first merge was not held up")
	}
	ok(t, tbl.WaitClear(t.Context()))
	ok(t, tbl.ScratchPut(t.Context(), Item{Key: "b"}))
	arrive()
	<-h.arrived
	if _, err := tbl.Get(t.Context(), "b"); !errors.Is(err, table.ErrNotFound) {
		t.Errorf("a late merge has shown what is staged: %v", err)
	}
	ok(t, tbl.ScratchMerge(t.Context()))
	s, err := tbl.Stats(t.Context())
	ok(t, err)
	if s.Generation != 2 {
		t.Errorf("%d merges, want 2", s.Generation)
	}
	ok(t, tbl.WaitClear(t.Context()))
	walk.Walk(t, server.Client(t), "late", "a", "b")
}

// holdUp lets the first script wait before the server gets it.
type holdUp struct {
	arrive  chan struct{} // closed by the test: it may go on
	arrived chan struct{} // closed by hook when the server has run it

	mu   sync.Mutex // guards held
	held int        // the number of the command plus one
}

func (h *holdUp) hook(p faulty.Point) faulty.Act {
	h.mu.Lock()
	first := h.held == 0 && p.Name == "evalsha" && p.Side == faulty.Before
	if first {
		h.held = p.N + 1
	}
	mine := h.held == p.N+1
	h.mu.Unlock()
	switch {
	case first:
		<-h.arrive
	case mine && p.Side == faulty.After:
		close(h.arrived)
	}
	return faulty.Act{}
}

func (h *holdUp) holds() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.held > 0
}
