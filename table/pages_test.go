package table_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// pageHook sees every request for a page of a range, and may hold it up.
type pageHook struct {
	counter
	mu            sync.Mutex // guards all below
	asked         int
	before, after func(n int) // called with the number of the page, from 1; may be nil
}

func isPage(cmd redis.Cmder) bool {
	args := cmd.Args()
	return args[0] == "evalsha" && (slices.Contains(args, any("up")) || slices.Contains(args, any("down")))
}

func (h *pageHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		return h.around([]redis.Cmder{cmd}, func() error { return next(ctx, cmd) })
	}
}

func (h *pageHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		return h.around(cmds, func() error { return next(ctx, cmds) })
	}
}

func (h *pageHook) around(cmds []redis.Cmder, send func() error) error {
	pages := 0
	for _, cmd := range cmds {
		if isPage(cmd) {
			pages++
		}
	}
	first, before, after := h.count(pages)
	for n := first; n < first+pages && before != nil; n++ {
		before(n)
	}
	err := send()
	for n := first; n < first+pages && after != nil; n++ {
		after(n)
	}
	return err
}

func (h *pageHook) count(pages int) (first int, before, after func(int)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	first = h.asked + 1
	h.asked += pages
	return first, h.before, h.after
}

// hold makes the hook call these from the next page on, which has number 1.
func (h *pageHook) hold(before, after func(n int)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked, h.before, h.after = 0, before, after
}

// answers returns how many pages were asked for since hold.
func (h *pageHook) answers() int {
	first, _, _ := h.count(0)
	return first - 1
}

// hooked returns a client whose pages the hook sees.
func hooked(t testing.TB) (*redis.Client, *pageHook) {
	t.Helper()
	rdb, h := redistest.Shared(t).Client(t), new(pageHook)
	rdb.AddHook(h)
	return rdb, h
}

// stop is where something waits until it is let go.
type stop struct{ reached, leave chan struct{} }

func newStop() stop { return stop{make(chan struct{}), make(chan struct{})} }

func (s stop) wait() {
	close(s.reached)
	<-s.leave
}

// smallPages makes reads of a few hundred items long ones.
func smallPages() table.Option { return table.WithPageBytes(4 << 10) }
