package store

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"go.uber.org/zap"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/feed"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// Store applies the effects of one owner. It is the engine's Store: one effect, one transaction or one script.
type Store struct {
	client *wire.Client
	epoch  layout.Epoch
	ctx    context.Context
	cancel context.CancelFunc // called by Interrupt and Close

	mu          sync.Mutex // guards transaction, because Close may come while a call that was given up still hangs
	transaction transaction
	log         *feed.Log
}

// New returns the store of the owner that epoch names. Its feed may have so many bytes; with 0 there is none. It logs to l.
func New(c *wire.Client, epoch layout.Epoch, feedBytes int64, l *zap.Logger) *Store {
	s := &Store{client: c, epoch: epoch, transaction: transaction{client: c, epoch: epoch, logger: l}, log: feed.NewLog(epoch, feedBytes)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Departs says that Apply calls Effect.Depart itself.
func (*Store) Departs() {}

var _ engine.DepartingStore = (*Store)(nil)

// Interrupt ends dials, retries and waits for a connection in Apply. A socket read ends by itself.
func (s *Store) Interrupt() { s.cancel() }

// Close closes the writer's connection, once no call uses it.
func (s *Store) Close() {
	s.cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.transaction.disconnect()
}

// Apply applies the effect, by a transaction if that is possible, else by a script.
func (s *Store) Apply(ctx context.Context, e *engine.Effect) (engine.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx, cancel := s.contextFor(ctx, e)
	defer cancel()
	addition := s.log.Add(e)
	r, err := s.apply(ctx, s.numbered(e, addition))
	if err == nil {
		s.note(e, addition, r)
	}
	return r, err
}

func (s *Store) numbered(e *engine.Effect, a feed.Addition) *scripts.Effect {
	return &scripts.Effect{Effect: e, Epoch: s.epoch, Trim: a.Trim, Body: a.Body, Room: a.Room, Keys: a.Keys}
}

// apply chooses the way: a transaction where that can take the effect, else its script.
func (s *Store) apply(ctx context.Context, e *scripts.Effect) (engine.Result, error) {
	run := s.runScript
	if onlyStores(e.Effect) && s.transaction.maybeConnect(ctx, e) {
		r, applied, err := s.transaction.apply(ctx, e)
		if applied || err != nil {
			return r, s.refusal(ctx, e, err)
		}
		if s.transaction.maybeConnect(ctx, e) {
			run = s.transaction.runScript
		}
	}
	call := wire.SendIf(e.Depart, s.call(e))
	a, err := run(ctx, e, call)
	if isDoubtful(a, err, s.epoch) || wire.IsReplicas(err) { // it was not applied on that server
		s.transaction.disconnect()
		a, err = confirmed(ctx, s.client, s.epoch, call)
	}
	if err != nil {
		return engine.Result{}, s.refusal(ctx, e, err)
	}
	return s.result(e.Kind, a)
}

// contextFor returns a context that also ends with Interrupt, and that has the values of the effect's caller: see wire.ForCallers.
func (s *Store) contextFor(ctx context.Context, e *engine.Effect) (context.Context, context.CancelFunc) {
	if ctx.Done() == nil { // it never ends, as for each Apply
		return wire.ForCallers(s.ctx, e.Callers), func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(s.ctx, cancel)
	return wire.ForCallers(ctx, e.Callers), func() {
		stop()
		cancel()
	}
}

// onlyStores tells whether plain commands can do all of e, because nothing must be compared.
func onlyStores(e *engine.Effect) bool {
	switch e.Kind {
	case engine.Apply:
		return true
	case engine.DiscardAll: // it counts
		return false
	case engine.Update:
		return !e.Compare
	}
	return len(e.Rows) > 0 || len(e.Marks) > 0 && scripts.HowToMark(e) == scripts.MarkAll
}

// Settle finds out whether the effect was applied. If it was not, it never will be.
func (s *Store) Settle(ctx context.Context, e *engine.Effect) (engine.Result, bool, error) {
	ctx, cancel := s.contextFor(ctx, e)
	defer cancel()
	addition := s.log.Add(e)
	a, err := certain(ctx, s.client, s.epoch, scripts.Settle(s.client, s.numbered(e, feed.Addition{Trim: addition.Trim})))
	if wire.Lasts(err) {
		err = &engine.RefusedError{Err: err, General: true}
	}
	if err != nil {
		return engine.Result{}, false, err
	}
	if a.Status == wire.StatusBurned {
		s.log.Burned(e, addition)
		return scripts.ViewOf(a), false, nil
	}
	if e.Prev == e.Seq { // a ping: the small reply is another effect's
		err = a.Err(s.epoch)
		return engine.Result{}, err == nil, err
	}
	r, err := s.result(e.Kind, a)
	if err == nil {
		s.note(e, addition, r)
	}
	return r, err == nil, err
}

// note notes what an effect has appended to the feed. Only the server knows how much a sweep has told.
func (s *Store) note(e *engine.Effect, a feed.Addition, r engine.Result) {
	if e.Sweep != nil {
		swept, _ := scripts.ReadSwept(r.Verdicts)
		a.Room = swept.Told
	}
	s.log.Added(e, a)
}

func (s *Store) runScript(ctx context.Context, _ *scripts.Effect, call []any) (wire.Answer, error) {
	return s.client.Run(ctx, wire.SendOnce, call)
}

// ErrSound: there is nothing to mend. It is no fault.
var ErrSound = errors.New("tablecache: there is nothing to mend")

func (s *Store) result(k engine.Kind, a wire.Answer) (engine.Result, error) {
	if a.Status == wire.StatusSound {
		return engine.Result{}, &engine.RefusedError{Err: ErrSound}
	}
	if a.Status == wire.StatusChanged {
		return engine.Result{}, &engine.RefusedError{Err: engine.ErrChanged}
	}
	if a.Status == wire.StatusBuilding {
		return engine.Result{}, &engine.RefusedError{Err: wire.ErrIndexBuilding}
	}
	if err := a.Err(s.epoch); err != nil {
		return engine.Result{}, err
	}
	return scripts.Result(k, a)
}

func (s *Store) call(e *scripts.Effect) []any {
	switch e.Kind {
	case engine.Put:
		return scripts.Put(s.client, e)
	case engine.Stage:
		return scripts.Stage(s.client, e)
	case engine.Delete:
		if e.Sweep != nil {
			return scripts.Sweep(s.client, e)
		}
		return scripts.Delete(s.client, e)
	case engine.Discard:
		if e.Sweep != nil {
			return scripts.SweepStaged(s.client, e)
		}
		return scripts.Discard(s.client, e)
	case engine.DiscardAll:
		return scripts.DiscardAll(s.client, e)
	case engine.Merge:
		return scripts.Merge(s.client, e)
	case engine.Abort:
		return scripts.Abort(s.client, e)
	case engine.Clear:
		return scripts.Clear(s.client, e)
	case engine.Repair:
		return scripts.Repair(s.client, e)
	case engine.Apply:
		return scripts.Apply(s.client, e)
	case engine.Update:
		return scripts.Update(s.client, e)
	case engine.Complete:
		return scripts.Built(s.client, e)
	}
	panic(fmt.Sprintf("tablecache: effect of unknown kind %d", e.Kind))
}

// refusal notes how the call has ended, and returns err as a RefusedError if the effect was certainly not applied.
func (s *Store) refusal(ctx context.Context, e *scripts.Effect, err error) error {
	if errors.Is(err, wire.ErrNobodyWaits) {
		return &engine.RefusedError{Err: err, Temporary: true, General: true}
	}
	s.client.Note(err)
	if err == nil || errors.Is(err, engine.ErrLost) {
		return err
	}
	longest, all := sizeOf(e)
	err = s.client.ExplainWrite(ctx, err, longest, all)
	switch {
	case wire.NeverSent(err):
		return &engine.RefusedError{Err: err, Temporary: !wire.Lasts(err), General: wire.IsGeneral(err)}
	case wire.IsRefusal(err):
		return &engine.RefusedError{Err: wire.LostToForeignType(err), Temporary: wire.Passes(err), General: wire.IsGeneral(err)}
	}
	return err
}

// sizeOf returns how long the longest argument of an effect is, and about how many bytes it has with its entry.
func sizeOf(e *scripts.Effect) (longest, all int) {
	longest, all = len(e.Body), len(e.Body)
	for i := range e.Rows {
		longest = max(longest, len(e.Rows[i].Key), len(e.Rows[i].Value))
		all += (1+len(e.Rows[i].Scores))*len(e.Rows[i].Key) + len(e.Rows[i].Value)
	}
	for _, key := range e.Kept {
		all += len(key)
	}
	for _, marks := range [][]engine.Mark{e.Marks, e.Witnesses} {
		for i := range marks {
			longest = max(longest, len(marks[i].Key), len(marks[i].Value))
			all += len(marks[i].Key) + len(marks[i].Value)
		}
	}
	return max(longest, len(e.Note)), all + len(e.Note)
}
