package engine

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestMachineWalks has one machine after the other stumble through a world where anything happens that can, and checks each of
// its orders. In the end the world calms down, and nobody may be left waiting.
func TestMachineWalks(t *testing.T) {
	t.Parallel()
	t.Logf("-seed %d", *seed)
	luck := rand.New(rand.NewPCG(*seed, 0))
	for range 500 {
		w := &world{t: t, luck: luck, m: newMachine(View{}), calls: map[ticket]Kind{}, pins: map[ticket]*pinned{}}
		w.tell(event{what: began})
		for range luck.IntN(2000) {
			w.stumble()
		}
		w.calmDown()
		if t.Failed() {
			return
		}
	}
}

// world is what a machine knows by its events and orders alone: actor, callers and store in one.
type world struct {
	t     *testing.T
	luck  *rand.Rand
	m     *machine
	truth View // of the store
	last  ticket
	calls map[ticket]Kind // unanswered; 0: waits for the clear state
	asks  []ticket        // for a pin, unanswered
	pins  map[ticket]*pinned
	sent  *action  // an Apply, or the Settle after it, is under way
	had   bool     // what was sent was had
	out   phase    // of what was sent: flying, settling, or none
	rests bool     // a pause runs
	folds []uint32 // those under way, of which the last counts
	foldRests,
	over bool
}

func (w *world) ticket() ticket {
	w.last++
	return w.last
}

// stumble has one thing happen that can.
func (w *world) stumble() {
	can := []func(){w.write, w.write, w.write, w.order, w.ask, w.leave, w.leave, w.answer, w.answer, w.answer, w.answer,
		w.pause, w.pause, w.fold}
	if w.luck.IntN(2000) == 0 {
		can = []func(){w.close, w.fence}
	}
	can[w.luck.IntN(len(can))]()
}

func (w *world) write() {
	kinds := []Kind{}
	if w.m.admitsRegular() {
		kinds = append(kinds, Put, Delete)
	}
	if w.m.admitsScratch() {
		kinds = append(kinds, Stage, Discard)
	}
	if len(kinds) > 0 {
		w.begin(taken, kinds[w.luck.IntN(len(kinds))])
	}
}

func (w *world) order() {
	w.begin(ordered, []Kind{Merge, Merge, Merge, Abort, Clear, Clear}[w.luck.IntN(6)])
}

func (w *world) begin(what happening, k Kind) {
	t := w.ticket()
	w.calls[t] = k
	w.tell(event{what: what, ticket: t, kind: k})
}

func (w *world) ask() {
	t := w.ticket()
	if w.luck.IntN(3) == 0 {
		w.calls[t] = 0
		w.tell(event{what: awaited, ticket: t})
		return
	}
	w.asks = append(w.asks, t)
	w.tell(event{what: pinAsked, ticket: t})
}

// leave has somebody leave, or a pin's time end.
func (w *world) leave() {
	if w.luck.IntN(2) == 0 {
		for t, p := range w.pins {
			if p.hurried && w.luck.IntN(2) == 0 {
				w.tell(event{what: graceOver, ticket: t})
				return
			}
			delete(w.pins, t)
			w.tell(event{what: left, ticket: t})
			return
		}
	}
	if len(w.asks) > 0 && w.luck.IntN(2) == 0 {
		t := w.asks[0]
		w.asks = w.asks[1:]
		w.tell(event{what: left, ticket: t})
		return
	}
	for t, k := range w.calls {
		switch {
		case w.m.underWay(t):
			continue
		case k == 0:
			delete(w.calls, t)
			w.tell(event{what: left, ticket: t})
		default:
			delete(w.calls, t)
			w.tell(event{what: dropped, ticket: t})
		}
		return
	}
}

// answer has the store answer.
func (w *world) answer() {
	switch w.out {
	case flying:
		w.answerApply([]happening{done, done, done, refused, postponed, lapsed, lapsed}[w.luck.IntN(7)])
	case settling:
		w.answerSettle(w.luck.IntN(3) == 0)
	}
}

func (w *world) answerApply(how happening) {
	if how == done || how == lapsed && w.luck.IntN(2) == 0 {
		w.have()
	}
	if how == done && !w.had {
		w.t.Fatal("nonsense")
	}
	w.out = none
	e := event{what: how, result: w.result()}
	if how == refused {
		e.err = errRefused
	}
	w.tell(e)
}

func (w *world) answerSettle(lapses bool) {
	w.out = none
	switch {
	case lapses:
		w.tell(event{what: lapsed})
	case w.had:
		w.tell(event{what: done, result: w.result()})
	default:
		w.truth.Seq += 2
		w.tell(event{what: burned})
	}
}

func (w *world) result() Result {
	return Result{State: w.truth.State, Generation: w.truth.Generation, Version: w.truth.Version}
}

// have has the effect that was sent.
func (w *world) have() {
	w.had = true
	w.truth.Seq++
	switch w.sent.kind {
	case Put, Delete:
		w.truth.Version++
	case Stage:
		w.truth.State = StateActive
	case Discard:
		if w.luck.IntN(2) == 0 {
			w.truth.State = StateActive
		}
	case Merge:
		w.truth.State, w.truth.Generation = StateMerging, w.truth.Generation+1
	case Abort:
		w.truth.State = StateClear
	case Clear:
		w.truth.State = StateClear
		w.truth.Version++
	}
}

func (w *world) pause() {
	switch {
	case w.rests:
		w.rests = false
		w.tell(event{what: rested})
	case w.foldRests:
		w.foldRests = false
		w.tell(event{what: foldRested})
	}
}

func (w *world) fold() {
	if len(w.folds) == 0 {
		return
	}
	i := w.luck.IntN(len(w.folds))
	e := event{what: folded, generation: w.folds[i]}
	w.folds = slices.Delete(w.folds, i, i+1)
	if w.luck.IntN(2) == 0 {
		e.err = errors.New("broken")
	} else if w.truth.State == StateMerging && w.truth.Generation == e.generation {
		w.truth.State = StateClear
	}
	w.tell(e)
}

func (w *world) close() { w.over = true; w.tell(event{what: closed}) }

func (w *world) fence() {
	if w.out != none {
		w.out, w.over = none, true
		w.tell(event{what: disowned, err: ErrFenced})
	}
}

// tell tells the machine, and checks and follows its orders.
func (w *world) tell(e event) {
	for _, a := range w.m.step(e) {
		w.follow(a)
	}
	if !w.over {
		w.nobodyWaitsInVain()
	}
}

// nobodyWaitsInVain checks that what waits for pins waits for some, and has made them hurry, and that readers wait for effects alone.
func (w *world) nobodyWaitsInVain() {
	inTheWay := func(holdsUp func(pinned) bool) (n int) {
		for _, p := range w.m.pins {
			if holdsUp(p) {
				w.mustNot(w.pins[p.ticket] == nil || !w.pins[p.ticket].hurried, "a pin is waited for and does not hurry")
				n++
			}
		}
		return n
	}
	if w.m.current.phase == holding {
		w.mustNot(inTheWay(w.m.holdsUp) == 0, "an effect waits for no pin")
	}
	if w.m.fold == foldHolding {
		w.mustNot(inTheWay(func(p pinned) bool { return p.generation < w.truth.Generation }) == 0, "the fold waits for no pin")
	}
	idle := w.m.current.phase == none || w.m.current.phase == resting
	w.mustNot(idle && len(w.asks) > 0, "a reader waits for nothing")
}

func (w *world) follow(a action) {
	switch a.do {
	case doSend:
		w.mustNot(w.out != none, "an effect is sent while another is under way")
		w.mustNot(a.view.Seq != w.truth.Seq, "an effect is sent after a number that is not the table's")
		w.mustNot(a.view.State != w.truth.State && a.view.State != StateMerging, "an effect is sent in a state that is not the table's")
		w.mustNot(w.over, "an effect is sent though the table is over")
		w.mustNot(w.disturbs(a.kind), "an effect is sent under a pin")
		w.sent, w.out, w.had = &a, flying, false
	case doSettle:
		w.mustNot(w.out != none || a.ticket != w.sent.ticket, "something else is settled")
		w.out = settling
	case doRelease:
		w.mustNot(w.had, "what was had is given back")
	case doRest:
		w.rests = true
	case doAnswer:
		w.answered(a)
	case doGrant:
		w.granted(a)
	case doHurry:
		p := w.pins[a.ticket]
		w.mustNot(p == nil || p.hurried, "a pin is hurried twice or too late")
		p.hurried = true
	case doExpire:
		w.mustNot(w.pins[a.ticket] == nil || !w.pins[a.ticket].hurried && !w.over, "a pin expires that nothing waits for")
		delete(w.pins, a.ticket)
	case doFold:
		w.mustNot(a.view.State != StateMerging || a.view.Generation != w.truth.Generation, "a fold of nothing is asked for")
		for _, p := range w.pins {
			w.mustNot(p.generation < w.truth.Generation, "a fold is asked for under a pin")
		}
		w.folds = append(w.folds, a.view.Generation)
	case doRestFold:
		w.foldRests = true
	}
}

func (w *world) mustNot(is bool, what string) {
	if is {
		w.t.Helper()
		w.t.Fatalf("%s: %s", what, w.m.trace())
	}
}

// disturbs tells whether an effect changes what the reader of a pin sees.
func (w *world) disturbs(k Kind) bool {
	for _, p := range w.pins {
		if k == Clear || (k == Put || k == Delete) && p.generation == w.truth.Generation {
			return true
		}
	}
	return false
}

func (w *world) answered(a action) {
	if i := slices.Index(w.asks, a.ticket); i >= 0 {
		w.mustNot(a.err == nil, "a pin was asked for and not granted")
		w.asks = slices.Delete(w.asks, i, i+1)
		return
	}
	k, waits := w.calls[a.ticket]
	w.mustNot(!waits, "somebody is answered who does not ask")
	delete(w.calls, a.ticket)
	switch sent := w.sent != nil && w.sent.ticket == a.ticket; {
	case k == 0:
		w.mustNot(a.err == nil && w.m.view.State != StateClear, "the state is not clear")
	case errors.Is(a.err, ErrUnknownOutcome):
		w.mustNot(!sent, "the outcome of what was never sent is unknown")
	case a.err != nil:
		w.mustNot(sent && w.had, "a caller is told that its effect was not had")
	case k != Merge && k != Abort || sent:
		w.mustNot(!sent || !w.had, "a caller is told that its effect was had")
	}
}

func (w *world) granted(a action) {
	i := slices.Index(w.asks, a.ticket)
	w.mustNot(i < 0, "a pin is granted that nobody asks for")
	w.asks = slices.Delete(w.asks, i, i+1)
	v := w.truth
	v.State = a.view.State
	w.mustNot(a.view.Generation != v.Generation || a.view.Version != v.Version, "a pin is granted on what is past")
	if w.out == flying {
		w.mustNot(w.sent.kind != Stage && w.sent.kind != Discard && w.sent.kind != Abort, "a pin is granted during an effect that disturbs it")
	}
	w.mustNot(w.out == settling, "a pin is granted before it is known what was had")
	w.pins[a.ticket] = &pinned{ticket: a.ticket, generation: a.view.Generation}
}

// calmDown lets everything that is under way end well, and checks that nobody waits any more.
func (w *world) calmDown() {
	for range 1000 {
		switch {
		case w.out == flying:
			w.answerApply(done)
		case w.out == settling:
			w.answerSettle(false)
		case w.rests || w.foldRests:
			w.pause()
		case len(w.folds) > 0:
			w.fold()
		case len(w.pins) > 0:
			w.leave()
		case len(w.calls) > 0 && w.m.admits() && w.truth.State == StateActive:
			w.begin(ordered, Abort) // for those who wait for the clear state
		default:
			w.mustNot(len(w.calls)+len(w.asks) > 0, "somebody waits for ever")
			w.mustNot(!w.over && w.m.view != w.truth, "the machine's view is not the truth")
			return
		}
	}
	w.t.Fatal("it never ends")
}
