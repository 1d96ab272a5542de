package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing/synctest"
)

// fault is how a call of the fake store ends.
type fault int

const (
	fine      fault = iota // as it should
	replyLost              // it runs, but the answer gets lost
	cut                    // it never runs, and no answer comes
	late                   // no answer comes, and it runs at the next call of the store
	later                  // no answer comes, and it runs at the next call but one
	postpone               // refused, for a reason that passes
	away                   // refused, for a reason that passes and is not the effect's own
	refuse                 // refused
	forbid                 // refused, as anything would be
	takeover               // somebody else has opened the table
	dataLoss               // the store went back in time
	crash                  // the store panics
)

var (
	errNoAnswer  = errors.New("connection reset")
	errRefused   = errors.New("OOM")
	errLoading   = errors.New("LOADING")
	errAway      = errors.New("dial")
	errForbidden = errors.New("NOPERM")
)

// gatedCall is a call of a gated store: it waits until the test says how it ends.
type gatedCall struct {
	Effect // a copy
	settle bool
	what   callType // a Settle of nothing is a ping
	ending chan fault
}

// end ends the call, and returns once nothing runs any more.
func (c *gatedCall) end(f fault) {
	c.ending <- f
	synctest.Wait()
}

// fakeStore is a table in memory, which behaves as the scripts of a real one do.
type fakeStore struct {
	calls        chan *gatedCall             // if not nil, each call waits here for a test to end it
	opened       chan struct{}               // once it is closed, calls no longer wait for a test
	faults       func(settle bool) fault     // if not nil, it says how each call ends
	inside       sync.Mutex                  // held while a call is under way: the engine makes one at a time
	violated     func(what string, _ ...any) // called if the engine breaks a promise
	watched      func() fault                // if not nil, it says how the store answers whether it can be had
	writeThrough bool                        // regular writes run beside a session
	tooLarge     string                      // a key that the store never takes: no answer comes to its effects

	mu           sync.Mutex // guards all below
	truth        View
	lastVerdicts []Verdict // of the latest effect
	brokenErr    error     // ErrFenced, ErrLost: why nothing is applied any more
	rows         map[string]string
	note         string
	staged       map[string]string    // "" is a tombstone
	lastCount    int                  // of the latest DiscardAll
	applied      []Effect             // copies, in order
	stored       map[string]int       // how often the row with this value was stored
	judged       map[string][]Verdict // what became of the mark with this score, each time
	delayed      []delayed
}

// delayed is an effect whose script arrives at the n-th call of the store from now.
type delayed struct {
	Effect
	n int
}

func newFakeStore() *fakeStore {
	return &fakeStore{
		rows: map[string]string{}, staged: map[string]string{}, stored: map[string]int{}, judged: map[string][]Verdict{},
		violated: func(what string, args ...any) { panic(fmt.Sprintf(what, args...)) },
	}
}

func (s *fakeStore) Apply(ctx context.Context, e *Effect) (Result, error) {
	r, _, err := s.call(ctx, e, false)
	return r, err
}

func (s *fakeStore) Settle(ctx context.Context, e *Effect) (Result, bool, error) {
	return s.call(ctx, e, true)
}

func (s *fakeStore) call(ctx context.Context, e *Effect, settle bool) (Result, bool, error) {
	if !s.inside.TryLock() {
		s.violated("two calls of the store at a time")
	}
	defer s.inside.Unlock()
	how, err := s.decide(ctx, e, settle)
	if err != nil {
		return Result{}, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end(e, settle, how)
}

// decide returns how a call must end.
func (s *fakeStore) decide(ctx context.Context, e *Effect, settle bool) (fault, error) {
	switch {
	case s.faults != nil:
		return s.faults(settle), ctx.Err()
	case s.calls == nil, settle && e.Kind == 0 && s.watched == nil:
		return fine, ctx.Err()
	case settle && e.Kind == 0:
		return s.watched(), ctx.Err()
	}
	c := &gatedCall{Effect: copied(e), settle: settle, ending: make(chan fault)}
	switch {
	case settle && e.Prev == e.Seq:
		c.what = callPing
	case settle:
		c.what = callSettle
	}
	select {
	case s.calls <- c:
	case <-s.opened:
		return fine, nil
	case <-ctx.Done():
		return fine, ctx.Err()
	}
	select {
	case how := <-c.ending:
		return how, nil
	case <-s.opened:
		return fine, nil
	case <-ctx.Done():
		return fine, ctx.Err()
	}
}

// end is called with mu held.
func (s *fakeStore) end(e *Effect, settle bool, how fault) (r Result, done bool, err error) {
	s.runDelayed()
	if s.tooLarge != "" && !settle && slices.ContainsFunc(e.Rows, func(r Row) bool { return string(r.Key) == s.tooLarge }) {
		how = cut
	}
	switch how {
	case takeover:
		s.brokenErr = ErrFenced
	case dataLoss:
		s.brokenErr = ErrLost
	case cut:
		return Result{}, false, errNoAnswer
	case late, later:
		if !settle {
			s.delayed = append(s.delayed, delayed{copied(e), 1 + int(how-late)})
		}
		return Result{}, false, errNoAnswer
	case postpone:
		return Result{}, false, &RefusedError{Err: errLoading, Temporary: true}
	case away:
		return Result{}, false, &RefusedError{Err: errAway, Temporary: true, General: true}
	case forbid:
		return Result{}, false, &RefusedError{Err: errForbidden, General: true}
	case refuse:
		return Result{}, false, &RefusedError{Err: errRefused}
	case crash:
		panic("the store's secret")
	}
	if settle {
		r, done, err = s.settle(e)
	} else {
		r, err = s.apply(e)
	}
	if how == replyLost && err == nil {
		return Result{}, false, errNoAnswer
	}
	return r, done, err
}

// runDelayed runs the scripts that arrive now.
func (s *fakeStore) runDelayed() {
	waiting := s.delayed
	s.delayed = nil
	for _, d := range waiting {
		if d.n--; d.n > 0 {
			s.delayed = append(s.delayed, d)
			continue
		}
		_, _ = s.apply(&d.Effect)
	}
}

// arrives runs a script that was sent long ago.
func (s *fakeStore) arrives(e *Effect) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.apply(e)
	return err
}

// apply is the script of an effect.
func (s *fakeStore) apply(e *Effect) (Result, error) {
	switch {
	case s.brokenErr != nil:
		return Result{}, s.brokenErr
	case s.truth.Seq == e.Seq:
		return s.result(), nil
	case s.truth.Seq > e.Seq:
		return Result{}, errors.New("void")
	case s.truth.Seq < e.Prev:
		return Result{}, ErrLost
	}
	if e.Kind == Update && e.Compare && s.judge(e, e.Marks[0]) != Marked {
		return Result{}, &RefusedError{Err: ErrChanged}
	}
	if e.Kind == DiscardAll && s.truth.State == StateActive && !s.truth.Whole {
		return Result{}, &RefusedError{Err: ErrChanged}
	}
	s.check(e)
	s.truth.Seq, s.lastVerdicts, s.lastCount = e.Seq, nil, 0
	s.applied = append(s.applied, copied(e))
	s.change(e)
	return s.result(), nil
}

func (s *fakeStore) settle(e *Effect) (Result, bool, error) {
	switch {
	case s.brokenErr != nil:
		return Result{}, false, s.brokenErr
	case s.truth.Seq < e.Prev:
		return Result{}, false, ErrLost
	case s.truth.Seq == e.Seq:
		return s.result(), true, nil
	case s.truth.Seq == e.Prev:
		s.truth.Seq = e.Seq + 1
	}
	return Result{}, false, nil
}

func (s *fakeStore) result() Result {
	return Result{State: s.truth.State, Whole: s.truth.Whole, Generation: s.truth.Generation, Version: s.truth.Version,
		Verdicts: slices.Clone(s.lastVerdicts), Count: s.lastCount}
}

// check checks what the machine and the batches promise the store.
func (s *fakeStore) check(e *Effect) {
	allowed := map[Kind][]State{Put: {StateClear}, Delete: {StateClear}, Stage: {StateClear, StateActive},
		Discard: {StateClear, StateActive}, DiscardAll: {StateClear, StateActive}, Merge: {StateActive}, Abort: {StateActive},
		Clear: {StateClear, StateActive, StateMerging}, Repair: {StateClear, StateActive, StateMerging}, Complete: {StateClear, StateActive, StateMerging},
		Apply: {StateClear}, Update: {StateClear}}
	through := s.writeThrough && s.truth.State == StateActive && e.Kind.isRegular() && len(e.Bounds) == 0
	if !slices.Contains(allowed[e.Kind], s.truth.State) && !through {
		s.violated("%s while %s", e.Kind, s.truth.State)
	}
	if e.Kind.isRegular() && e.State != s.truth.State {
		s.violated("%s begins in state %s, not %s", e.Kind, s.truth.State, e.State)
	}
	stamp := e.Generation
	if e.Kind.isScratch() {
		stamp++
	}
	for _, r := range e.Rows {
		if binary.BigEndian.Uint32(r.Value) != stamp || e.Generation != s.truth.Generation {
			s.violated("%s in generation %d is stamped %x", e.Kind, s.truth.Generation, r.Value[:4])
		}
	}
}

// change makes the changes of an effect.
func (s *fakeStore) change(e *Effect) {
	switch e.Kind {
	case Put, Delete, Clear, Repair, Apply, Update:
		s.truth.Version++
	}
	if e.Note != nil {
		s.note = string(e.Note)
	}
	into := s.rows
	if e.Kind == Stage {
		into = s.staged
	}
	if e.Kind != DiscardAll {
		for _, r := range e.Rows {
			into[string(r.Key)] = string(r.Value[4:])
			s.stored[string(r.Value[4:])]++
		}
	}
	for _, m := range e.Marks {
		if e.Kind != Update {
			s.mark(e, m)
		}
	}
	if e.Kind.isRegular() {
		s.unstage(e)
	}
	if e.Sweep != nil && e.Sweep.All {
		clear(s.rows)
	}
	switch e.Kind {
	case Stage:
		s.truth.State = StateActive
	case DiscardAll:
		s.discardAll(e.Rows)
	case Merge:
		s.truth.State, s.truth.Generation = StateMerging, s.truth.Generation+1
	case Abort:
		s.truth.State, s.truth.Whole = StateClear, false
		clear(s.staged)
	case Clear:
		s.truth.State, s.truth.Whole = StateClear, false
		clear(s.rows)
		clear(s.staged)
	}
}

// unstage takes the keys of an effect out of what is staged. Where that stands for the whole table the rows are staged instead.
func (s *fakeStore) unstage(e *Effect) {
	for _, r := range e.Rows {
		delete(s.staged, string(r.Key))
		if s.truth.Whole {
			s.staged[string(r.Key)] = string(r.Value[4:])
		}
	}
	for _, m := range e.Marks {
		if e.Kind != Update {
			delete(s.staged, string(m.Key))
		}
	}
}

// discardAll discards all but the rows that were written through.
func (s *fakeStore) discardAll(kept []Row) {
	s.lastCount = len(s.rows) - len(kept)
	if s.truth.Whole {
		s.lastCount = len(s.staged) - len(kept)
	}
	if s.truth.State == StateClear && s.lastCount == 0 {
		return
	}
	clear(s.staged)
	for _, r := range kept {
		if s.staged[string(r.Key)] = string(r.Value[4:]); s.rows[string(r.Key)] != string(r.Value[4:]) {
			s.violated("a discard of everything leaves %q, which is not merged", r.Key)
		}
	}
	s.truth.State, s.truth.Whole = StateActive, true
}

// mark deletes or discards one record, if it is there and, with a condition, still is what the caller has read.
func (s *fakeStore) mark(e *Effect, m Mark) {
	v := s.judge(e, m)
	s.lastVerdicts = append(s.lastVerdicts, v)
	s.judged[string(m.Score)] = append(s.judged[string(m.Score)], v)
	switch {
	case v != Marked:
	case e.Kind == Delete, e.Kind == Apply:
		delete(s.rows, string(m.Key))
	case s.truth.Whole:
		delete(s.staged, string(m.Key))
	default:
		s.staged[string(m.Key)] = ""
		s.truth.State = StateActive
	}
}

func (s *fakeStore) judge(e *Effect, m Mark) Verdict {
	stored, there := s.rows[string(m.Key)]
	if above, is := s.staged[string(m.Key)]; (is || s.truth.Whole) && e.Kind == Discard {
		stored, there = above, above != ""
	}
	switch {
	case !there:
		return Missing
	case e.Compare && m.Value != nil && string(m.Value) != stored:
		return Changed
	}
	return Marked
}

// fold is the whole fold of a generation; a late one does nothing.
func (s *fakeStore) fold(generation uint32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.brokenErr != nil {
		return s.brokenErr
	}
	if s.truth.State != StateMerging || s.truth.Generation != generation {
		return nil
	}
	if s.truth.Whole {
		clear(s.rows)
	}
	maps.Copy(s.rows, s.staged)
	maps.DeleteFunc(s.rows, func(_, v string) bool { return v == "" })
	clear(s.staged)
	s.truth.State, s.truth.Whole = StateClear, false
	return nil
}

// view returns the store's truth.
func (s *fakeStore) view() View {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.truth
}

// effects returns those that were applied, in order.
func (s *fakeStore) effects() []Effect {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.applied)
}

// count returns how often a row with this value was stored.
func (s *fakeStore) count(value string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stored[value]
}

// content returns the merged rows.
func (s *fakeStore) content() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.rows)
}

func copied(e *Effect) Effect {
	c := *e
	c.Rows, c.Marks = slices.Clone(e.Rows), slices.Clone(e.Marks)
	for i := range c.Rows {
		c.Rows[i].Value = slices.Clone(c.Rows[i].Value)
	}
	return c
}
