package stress

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/internal/walk"
	"github.com/tablecache-go/tablecache/table"
)

const (
	operations   = 10_000 // in one history
	round        = 500    // of which are checked together
	mostUnknown  = 50     // in one history: each doubles what the checker must look at
	checkTimeout = time.Minute
)

// TestG1_HistoriesAreLinearizable has many goroutines do everything to one small table, and asks porcupine whether all
// their answers can be had from a table that does one thing at a time. The whole table is one state, so that a torn read
// shows; a history that porcupine cannot decide fails. After every 500 operations all goroutines rest, what is staged is
// dropped and the table is read: that is how a round ends and the next one begins, which keeps the checker quick.
func TestG1_HistoriesAreLinearizable(t *testing.T) {
	rdb := redistest.Start(t, redistest.Options{}).Client(t)
	done, unknown := 0, 0
	p := session.begin(t, "linearizable histories of 10,000 operations", 20, linearShare)
	for n := 0; !p.isOver() && !t.Failed(); n++ {
		h := &recorder{rand: source(uint64(n)), number: n, writing: writing(n % 2)}
		opts := []table.Option{table.WithReset()}
		if h.writing == writesThrough {
			opts = append(opts, table.WithWriteThrough())
		}
		tbl, err := table.Open(t.Context(), rdb, itemTable("linear"), opts...)
		ok(t, err)
		h.record(t, tbl, p)
		ok(t, tbl.Close())
		walk.Walk(t, rdb, "linear", "a", "b")
		done, unknown = done+h.operations, unknown+h.unknown
		p.reach(float64(done) / operations)
	}
	t.Logf("%d operations, of which %d with an unknown outcome", done, unknown)
}

// recorder makes a history, round by round.
type recorder struct {
	rand       *rand.Rand
	number     int
	writing    writing
	operations int
	clock      atomic.Int64
	version    atomic.Int64
	regular    atomic.Int64 // clients that may wait for the lock

	mu      sync.Mutex            // guards what follows
	history []porcupine.Operation // of this round
	unknown int
}

const (
	scratchClients = 3
	regularClients = 7
)

// record lets clients work until the history is long enough. Those that use the scratch space never wait for the lock
// themselves: else all could wait and nobody merge.
func (h *recorder) record(t *testing.T, tbl *items, p *part) {
	last := &client{h: h, tbl: tbl, id: scratchClients + regularClients}
	for start := []Item(nil); h.operations < operations && !p.isOver() && !t.Failed(); {
		h.history = nil
		h.round(t, tbl)
		last.ask(t, request{verb: abort})
		last.ask(t, request{verb: readAll, index: "a"})
		h.check(t, start)
		start = h.history[len(h.history)-1].Output.(response).seen
		h.operations += len(h.history)
	}
}

func (h *recorder) round(t *testing.T, tbl *items) {
	var wg sync.WaitGroup
	h.regular.Store(regularClients)
	for c := range scratchClients + regularClients {
		client := &client{h: h, tbl: tbl, id: c, scratch: c < scratchClients, rand: rand.New(rand.NewPCG(h.rand.Uint64(), uint64(c)))}
		wg.Go(func() { client.run(t) })
	}
	wg.Wait()
}

func (h *recorder) check(t *testing.T, start []Item) {
	t.Helper()
	model := linearModel(h.writing, start...)
	result, info := porcupine.CheckOperationsVerbose(model, complete(h.history), checkTimeout)
	if result == porcupine.Ok {
		return
	}
	path := filepath.Join(os.TempDir(), fmt.Sprintf("stress-linear-%d-%d.html", session.seed, h.number))
	err := porcupine.VisualizePath(model, info, path)
	t.Errorf("history %d of seed %d is %v after %d operations; see %s (%v)", h.number, session.seed, result, h.operations, path, err)
}

func (h *recorder) full() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.history) >= round
}

// add adds an operation that has just ended, or that may yet happen.
func (h *recorder) add(client int, call int64, in request, out response) {
	ended := h.clock.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	if out.unknown {
		ended = math.MaxInt64
		h.unknown++
	}
	h.history = append(h.history, porcupine.Operation{ClientId: client, Input: in, Call: call, Output: out, Return: ended})
}

func (h *recorder) mayForget() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.unknown < mostUnknown-scratchClients-regularClients
}

// client is one goroutine of a history.
type client struct {
	h       *recorder
	tbl     *items
	id      int
	scratch bool
	rand    *rand.Rand
}

// run works until the history is full. From then on scratch clients only abort, until nobody can wait for the lock.
func (c *client) run(t *testing.T) {
	if !c.scratch {
		defer c.h.regular.Add(-1)
	}
	for full := c.h.full(); !full || c.scratch && c.h.regular.Load() > 0; full = c.h.full() {
		in := c.draw()
		if full {
			in.verb = abort
		}
		c.ask(t, in)
	}
}

func (c *client) ask(t *testing.T, in request) {
	ctx, cancel := c.context(t.Context(), in)
	defer cancel()
	call := c.h.clock.Add(1)
	out, err := c.do(ctx, in)
	switch {
	case err == nil:
		c.h.add(c.id, call, in, out)
	case errors.Is(err, table.ErrUnknownOutcome):
		c.h.add(c.id, call, in, response{unknown: true})
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, table.ErrScratchMerged), errors.Is(err, table.ErrScratchAborted):
		// nothing was done
	default:
		t.Errorf("%v: %v", in.verb, err)
	}
}

// context has some writes end before they are answered.
func (c *client) context(ctx context.Context, in request) (context.Context, context.CancelFunc) {
	limit := time.Minute
	if c.rand != nil && in.verb <= merge && c.rand.IntN(40) == 0 && c.h.mayForget() {
		limit = time.Duration(c.rand.IntN(800)) * time.Microsecond
	}
	return context.WithTimeout(ctx, limit)
}

func (c *client) draw() request {
	in := request{low: c.rand.IntN(keys), index: []string{"a", "b"}[c.rand.IntN(2)]}
	in.high = in.low + 1 + c.rand.IntN(keys-in.low)
	verbs := []verb{put, put, deleteKeys, deleteRange, readAll, readAll, readAll, readAll, lookup, count}
	if c.scratch {
		verbs = []verb{stage, discard, merge, merge, abort, readAll, readAll, readAll, readAll, lookup}
	}
	in.verb = verbs[c.rand.IntN(len(verbs))]
	in.version = c.h.version.Add(1)
	return in
}
