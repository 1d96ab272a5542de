package engine

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"
)

var seed = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the hammer test")

// TestG9_Hammer makes many goroutines call everything at random, on a store that loses, delays and refuses at random. Then it
// compares what each caller was told with what the store has applied. In two of three runs the table ends half way.
func TestG9_Hammer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		how string
		end func(*hammer)
	}{
		{"to the end", func(*hammer) {}},
		{"fenced", func(h *hammer) { h.store.fence() }},
		{"closed", func(h *hammer) { h.Close() }},
	} {
		t.Run(c.how, func(t *testing.T) {
			t.Parallel()
			t.Logf("-seed %d", *seed)
			h := newHammer(t)
			h.runWorkers(c.end)
			h.check()
		})
	}
}

const (
	hammerWorkers = 16
	hammerCalls   = 400 // of each worker
)

type hammer struct {
	*Actor
	t     *testing.T
	store *fakeStore
	folds chan uint32
	wg    sync.WaitGroup // the folder
	half  sync.Once      // of the end that comes half way

	mu       sync.Mutex // guards all below
	rng      *rand.Rand // of store and folder
	noFaults bool
	calls    []callResult
}

// callResult is one call that has returned.
type callResult struct {
	kind     Kind
	values   []string // of rows, or the scores of marks: each is given once
	verdicts []Verdict
	err      error
}

func newHammer(t *testing.T) *hammer {
	h := &hammer{t: t, store: newFakeStore(), folds: make(chan uint32, hammerWorkers*hammerCalls), rng: rand.New(rand.NewPCG(*seed, 0))}
	h.store.faults, h.store.violated = h.fault, t.Errorf
	h.store.writeThrough = *seed%2 == 0
	h.Actor = Start(Config{WriteThrough: h.store.writeThrough, Mailbox: 4, BatchRows: 12, BatchBytes: 400, Grace: 2 * time.Millisecond,
		Fold:    func(v View) { h.folds <- v.Generation },
		Backoff: Backoff{First: 50 * time.Microsecond, Most: time.Millisecond}}, h.store, View{})
	h.wg.Go(h.fold)
	return h
}

// random returns a number below n; without faults, the highest.
func (h *hammer) random(n int) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.noFaults {
		return n - 1
	}
	return h.rng.IntN(n)
}

// fault makes every fifth call of the store go wrong.
func (h *hammer) fault(bool) fault {
	faults := []fault{replyLost, replyLost, cut, late, later, later, postpone, postpone, postpone, away, refuse, forbid, crash}
	if i := h.random(50); i < len(faults) {
		return faults[i]
	}
	return fine
}

// fold folds what was merged, at the second or third attempt.
func (h *hammer) fold() {
	for g := range h.folds {
		if h.random(2) == 0 {
			h.Folded(g, errors.New("broken"))
			continue
		}
		h.Folded(g, h.store.fold(g))
	}
}

func (s *fakeStore) fence() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.brokenErr = ErrFenced
}

// runWorkers makes all workers do their calls. It calls end when the first worker is half way.
func (h *hammer) runWorkers(end func(*hammer)) {
	var workers sync.WaitGroup
	for w := range hammerWorkers {
		workers.Go(func() {
			rng := rand.New(rand.NewPCG(*seed, uint64(1+w)))
			for i := range hammerCalls {
				if i == hammerCalls/2 {
					h.half.Do(func() { end(h) })
				}
				h.call(rng, fmt.Sprintf("%d-%d", w, i))
			}
		})
	}
	stop := make(chan struct{})
	h.wg.Go(func() { h.merges(stop) })
	workers.Wait()
	close(stop)
}

// call does one call at random, which every third time is given up at some moment. Its rows and marks are named after id.
func (h *hammer) call(rng *rand.Rand, id string) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if rng.IntN(3) == 0 {
		defer time.AfterFunc(time.Duration(rng.IntN(1000))*time.Microsecond, cancel).Stop()
	}
	c := callResult{}
	switch rng.IntN(16) {
	case 0, 1, 2, 3:
		c = h.write(ctx, rng, Put, id)
	case 4, 5, 6:
		c = h.write(ctx, rng, Stage, id)
	case 7, 8:
		c = h.mark(ctx, rng, Delete, id)
	case 9:
		c = h.mark(ctx, rng, Discard, id)
	case 10, 11:
		c = callResult{kind: Merge, err: h.Merge(ctx)}
	case 12:
		c = callResult{kind: Abort, err: h.Abort(ctx)}
	case 13:
		c = callResult{kind: Clear, err: h.Clear(ctx)}
	case 14:
		h.session(ctx, rng, id)
		return
	default:
		h.read(ctx, rng)
		return
	}
	h.note(c)
}

func (h *hammer) note(c callResult) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, c)
}

// session stages in a session of its own, with calls that end with the session's life, or live longer. It merges, aborts, or leaves it so.
func (h *hammer) session(life context.Context, rng *rand.Rand, id string) {
	life, leave := context.WithCancel(life)
	defer leave()
	s, err := h.Scratch(life)
	if err != nil {
		h.note(callResult{err: err})
		return
	}
	ctx := life
	if rng.IntN(2) == 0 {
		ctx = context.Background()
	}
	for i := range rng.IntN(4) {
		c := callResult{kind: Stage}
		c.values, c.err = []string{fmt.Sprint(id, "-", i)}, s.Stage(ctx, []Row{{Key: Bytes(fmt.Sprint(rng.IntN(20))), Value: Bytes(fmt.Sprint("    ", id, "-", i))}})
		h.note(c)
	}
	switch rng.IntN(4) {
	case 0, 1:
		h.note(callResult{kind: Merge, err: s.Merge(ctx, []byte(id))})
	case 2:
		h.note(callResult{kind: Abort, err: s.Abort(ctx)})
	}
}

func isRefused(err error) bool { return errors.Is(err, errRefused) || errors.Is(err, errForbidden) }

// merges merges again and again, so that writers do not wait for ever.
func (h *hammer) merges(stop <-chan struct{}) {
	for every := time.NewTicker(2 * time.Millisecond); ; {
		select {
		case <-every.C:
			_ = h.Merge(context.Background())
		case <-stop:
			every.Stop()
			return
		}
	}
}

// key returns one of few keys. With Config.WriteThrough regular and scratch writes have keys of their own, because what is passed over is
// not applied though its caller is told that all is well.
func (h *hammer) key(rng *rand.Rand, k Kind) Bytes {
	n := rng.IntN(20)
	if h.store.writeThrough && k.isRegular() {
		n += 20
	}
	return Bytes(fmt.Sprint(n))
}

func (h *hammer) write(ctx context.Context, rng *rand.Rand, k Kind, id string) callResult {
	c := callResult{kind: k}
	var all []Row
	for i := range 1 + rng.IntN(4) {
		c.values = append(c.values, fmt.Sprint(id, "-", i))
		all = append(all, Row{Key: h.key(rng, k), Value: Bytes("    " + c.values[i])})
	}
	if k == Put && rng.IntN(3) == 0 {
		c.err = h.Apply(ctx, Change{Rows: all})
	} else {
		c.err = h.writeRows(ctx, k, all)
	}
	return c
}

func (h *hammer) mark(ctx context.Context, rng *rand.Rand, k Kind, id string) callResult {
	c := callResult{kind: k}
	var d Deletion
	for i := range 1 + rng.IntN(4) {
		c.values = append(c.values, fmt.Sprint(id, "-", i))
		d.Marks = append(d.Marks, Mark{Key: h.key(rng, k), Score: Bytes(c.values[i])})
	}
	if rng.IntN(3) == 0 {
		d.Marks[0].Value = Bytes("somebody else's") // goes alone
	}
	if k == Delete {
		c.verdicts, c.err = h.Delete(ctx, d)
	} else {
		c.verdicts, c.err = h.Discard(ctx, d)
	}
	return c
}

// read checks that nothing changes under a pin until it expires or is released.
func (h *hammer) read(ctx context.Context, rng *rand.Rand) {
	p, err := h.Pin(ctx, View{})
	if err != nil {
		if !errors.Is(err, context.Canceled) && !errors.Is(err, ErrFenced) && !errors.Is(err, ErrClosed) && !isRefused(err) {
			h.t.Errorf("pin: %v", err)
		}
		return
	}
	defer p.Release()
	for range 1 + rng.IntN(20) {
		now, was := h.store.view(), p.View()
		select {
		case <-p.Expired():
			return
		default:
		}
		merged := now.State == StateMerging && now.Generation == was.Generation+1
		if now.Version != was.Version || now.Generation != was.Generation && !merged {
			h.t.Errorf("under a pin on %+v the table is at %+v", was, now)
		}
		runtime.Gosched()
	}
}

// check ends the table and compares what callers were told with what was applied.
func (h *hammer) check() {
	h.mu.Lock()
	h.noFaults = true
	h.mu.Unlock()
	if err := h.Clear(context.Background()); err == nil {
		if v, truth := h.View(), h.store.view(); v != truth {
			h.t.Errorf("the actor's view is %+v, the truth %+v", v, truth)
		}
	}
	h.Close()
	close(h.folds)
	h.wg.Wait()
	told := map[string]int{}
	for _, c := range h.calls {
		told[h.checkCall(c)]++
	}
	h.t.Logf("%v", told)
	if len(h.calls) != 0 && told["applied"] == 0 {
		h.t.Error("nothing was applied")
	}
}

// checkCall returns what the caller was told, having checked that it is true.
func (h *hammer) checkCall(c callResult) string {
	times := 0
	for i, v := range c.values {
		n := h.store.stored[v] + len(h.store.judged[v])
		if n > 1 || i > 0 && n != times {
			h.t.Errorf("%s: row or mark %d was applied %d times, the one before %d times", c.kind, i, n, times)
		}
		times = n
		if c.verdicts != nil && !slices.Equal(h.store.judged[v], c.verdicts[i:i+1]) {
			h.t.Errorf("%s: told %c of mark %d, it was %c", c.kind, c.verdicts[i], i, h.store.judged[v])
		}
	}
	told := h.told(c.err)
	if len(c.values) > 0 && (told == "applied" && times == 0 || (told == "not applied" || told == "given up" || told == "over") && times > 0) {
		h.t.Errorf("%s was applied %d times, its caller was told %v", c.kind, times, c.err)
	}
	return told
}

func (h *hammer) told(err error) string {
	switch {
	case err == nil:
		return "applied"
	case errors.Is(err, ErrUnknownOutcome):
		return "unknown"
	case errors.As(err, new(*GivenUpError)):
		return "given up"
	case errors.Is(err, ErrScratchMerged), errors.Is(err, ErrScratchAborted):
		return "over"
	case errors.Is(err, context.Canceled), isRefused(err), errors.Is(err, ErrClosed), errors.Is(err, ErrFenced):
		return "not applied"
	}
	h.t.Errorf("told %v", err)
	return "something else"
}
