package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// rig is an actor in a synctest bubble, with a gated store. Its clock moves only while all goroutines wait.
type rig struct {
	*Actor
	t       *testing.T
	store   *fakeStore
	logs    *observer.ObservedLogs
	opening sync.Once

	mu    sync.Mutex // guards folds
	folds []uint32   // those that the actor has requested
}

// inBubble runs a test with an actor of its own. The test ends each call of the store; inBubble closes the actor.
func inBubble(t *testing.T, cfg Config, found View, test func(r *rig)) {
	t.Helper()
	t.Parallel()
	bubble(t, cfg, found, test)
}

// bubble is inBubble for a test that is parallel already.
func bubble(t *testing.T, cfg Config, found View, test func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, cfg, found)
		defer r.Close()
		defer r.open()
		test(r)
	})
}

func newRig(t *testing.T, cfg Config, found View) *rig {
	core, logs := observer.New(zapcore.DebugLevel)
	r := &rig{t: t, store: newFakeStore(), logs: logs}
	r.store.truth, r.store.calls = found, make(chan *gatedCall)
	r.store.opened = make(chan struct{})
	r.store.writeThrough = cfg.WriteThrough
	cfg.Logger = zap.New(core)
	cfg.Fold = r.fold
	r.Actor = Start(cfg, r.store, found)
	return r
}

func (r *rig) fold(generation uint32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.folds = append(r.folds, generation)
}

// foldsAre checks which folds were requested so far.
func (r *rig) foldsAre(want ...uint32) {
	r.t.Helper()
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Equal(r.folds, want) {
		r.t.Errorf("the folds of %v were requested, want %v", r.folds, want)
	}
}

// call is one call of the actor, in a goroutine of its own.
type call struct {
	r        *rig
	what     string
	leave    context.CancelFunc
	done     chan struct{}
	verdicts []Verdict
	pin      *Pin
	span     *Span
	session  *Session
	err      error
}

// begin begins a call, and returns once nothing runs any more.
func (r *rig) begin(what string, f func(ctx context.Context, c *call) error) *call {
	ctx, cancel := context.WithCancel(context.Background())
	c := &call{r: r, what: what, leave: cancel, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		c.err = f(ctx, c)
	}()
	synctest.Wait()
	return c
}

func (r *rig) put(keys ...string) *call {
	return r.begin("put "+strings.Join(keys, " "), func(ctx context.Context, _ *call) error { return r.Put(ctx, rows(keys...)) })
}

func (r *rig) stage(keys ...string) *call {
	return r.begin("stage "+strings.Join(keys, " "), func(ctx context.Context, _ *call) error { return r.Stage(ctx, rows(keys...)) })
}

func (r *rig) delete(d Deletion) *call {
	return r.begin("delete", func(ctx context.Context, c *call) (err error) {
		c.verdicts, err = r.Delete(ctx, d)
		return err
	})
}

func (r *rig) discard(d Deletion) *call {
	return r.begin("discard", func(ctx context.Context, c *call) (err error) {
		c.verdicts, err = r.Discard(ctx, d)
		return err
	})
}

func (r *rig) merge() *call {
	return r.begin("merge", func(ctx context.Context, _ *call) error { return r.Merge(ctx) })
}

func (r *rig) abort() *call {
	return r.begin("abort", func(ctx context.Context, _ *call) error { return r.Abort(ctx) })
}

func (r *rig) clear() *call {
	return r.begin("clear", func(ctx context.Context, _ *call) error { return r.Clear(ctx) })
}

func (r *rig) repair() *call {
	return r.begin("repair", func(ctx context.Context, _ *call) error { return r.Repair(ctx, Damage{Key: "k"}) })
}

func (r *rig) waitClear() *call {
	return r.begin("wait", func(ctx context.Context, _ *call) error { return r.WaitClear(ctx) })
}

func (r *rig) requestPin() *call {
	return r.begin("pin", func(ctx context.Context, c *call) (err error) {
		c.pin, err = r.Pin(ctx, View{})
		return err
	})
}

func (r *rig) requestScratchSpan() *call {
	return r.begin("scratch span", func(ctx context.Context, c *call) (err error) {
		c.span, err = r.ScratchSpan(ctx)
		return err
	})
}

func (r *rig) requestRegularSpan() *call {
	return r.begin("regular span", func(ctx context.Context, c *call) (err error) {
		c.span, err = r.RegularSpan(ctx)
		return err
	})
}

// pin returns a pin that is granted at once.
func (r *rig) pin() *Pin {
	r.t.Helper()
	c := r.requestPin()
	c.gets(nil)
	return c.pin
}

// storeCall returns the call of the store that is under way.
func (r *rig) storeCall() *gatedCall {
	r.t.Helper()
	synctest.Wait()
	select {
	case v := <-r.store.calls:
		return v
	default:
		r.t.Fatal("the store is not called")
		return nil
	}
}

// idle checks that the store is not called.
func (r *rig) idle() {
	r.t.Helper()
	synctest.Wait()
	select {
	case v := <-r.store.calls:
		r.t.Fatalf("the store is called for %s %d", v.Kind, v.Seq)
	default:
	}
}

// end ends the call of the store that is under way, and returns once nothing runs any more.
func (r *rig) end(kind Kind, how fault) {
	r.t.Helper()
	v := r.storeCall()
	if v.Kind != kind || v.settle {
		r.t.Fatalf("the store is called for %s (settle: %t), want %s", v.Kind, v.settle, kind)
	}
	v.end(how)
}

// settle ends the Settle that is under way.
func (r *rig) settle(how fault) {
	r.t.Helper()
	v := r.storeCall()
	if !v.settle {
		r.t.Fatalf("the store is called for %s, want a Settle", v.Kind)
	}
	v.end(how)
}

// open makes all calls of the store succeed from now on, and lets a second pass.
func (r *rig) open() {
	r.opening.Do(func() { close(r.store.opened) })
	r.pass(time.Second)
}

// pass lets time pass, and returns once nothing runs any more.
func (r *rig) pass(d time.Duration) {
	<-time.After(d) // of the bubble's clock
	synctest.Wait()
}

// stateIs checks the state that the actor shows.
func (r *rig) stateIs(want State) {
	r.t.Helper()
	synctest.Wait()
	if got := r.View().State; got != want {
		r.t.Fatalf("the state is %s, want %s", got, want)
	}
}

// waits checks that the call waits.
func (c *call) waits() {
	c.r.t.Helper()
	synctest.Wait()
	select {
	case <-c.done:
		c.r.t.Fatalf("%s ended: %v", c.what, c.err)
	default:
	}
}

// gets checks that the call has ended, and that its error Is each of want.
func (c *call) gets(want ...error) {
	c.r.t.Helper()
	synctest.Wait()
	select {
	case <-c.done:
	default:
		c.r.t.Fatalf("%s still waits", c.what)
	}
	for _, w := range want {
		if !errors.Is(c.err, w) {
			c.r.t.Fatalf("%s: %v, want %v", c.what, c.err, w)
		}
	}
}

// leaves makes the caller leave, which must end the call at once, with nothing done.
func (c *call) leaves() {
	c.r.t.Helper()
	c.leave()
	c.gets(context.Canceled)
	if errors.Is(c.err, ErrUnknownOutcome) {
		c.r.t.Fatalf("%s: %v, want the outcome to be known", c.what, c.err)
	}
}

// leavesWithUnknownOutcome makes the caller leave while the outcome is unknown.
func (c *call) leavesWithUnknownOutcome() {
	c.r.t.Helper()
	c.leave()
	c.gets(context.Canceled, ErrUnknownOutcome)
}

// rows returns a row for each key, with the key as its value too.
func rows(keys ...string) []Row {
	all := make([]Row, len(keys))
	for i, k := range keys {
		all[i] = Row{Key: Bytes(k), Value: Bytes("\xff\xff\xff\xff" + k), Scores: []Bytes{Bytes("1")}}
	}
	return all
}

// marks returns a deletion by key alone.
func marks(keys ...string) (d Deletion) {
	for _, k := range keys {
		d.Marks = append(d.Marks, Mark{Key: Bytes(k), Score: Bytes(k)})
	}
	return d
}

// keys returns the keys of an effect's rows and marks.
func (e *Effect) keys() string {
	var all []string
	for _, r := range e.Rows {
		all = append(all, string(r.Key))
	}
	for _, m := range e.Marks {
		all = append(all, string(m.Key))
	}
	return strings.Join(all, " ")
}

// expect ends the call of the store that is under way, which must be for these keys.
func (r *rig) expect(kind Kind, keys string) {
	r.t.Helper()
	v := r.storeCall()
	if got := fmt.Sprint(v.Kind, " ", v.keys()); got != fmt.Sprint(kind, " ", keys) {
		r.t.Fatalf("the store is called for %s, want %s %s", got, kind, keys)
	}
	v.end(fine)
}
