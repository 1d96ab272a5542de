package engine

import (
	"context"

	"go.uber.org/zap"
)

// Status is what an actor is doing.
type Status struct {
	View    View
	Pins    int   // pins that last
	Mailbox int   // writes that wait in the mailboxes, those at their doors not counted
	Broken  error // why the table can no longer be written; else nil
}

// WaitClear waits until the state is clear: no scratch session is on and the last merge is folded.
// The wait also ends with ctx, with ErrClosed, or with ErrFenced or ErrLost.
func (a *Actor) WaitClear(ctx context.Context) error {
	return a.ask(ctx, func(r *request) {
		a.asks[r.ticket] = r
		a.tell(event{what: awaited, ticket: r.ticket})
	})
}

// Pin waits until no effect that changes what readers see is under way, nor has the lock and waits
// for pins (while it rests, before it is sent again, it waits for nothing), and returns a pin on the current generation. seen is the view that the caller has read:
// if Pin.View has another generation or version, what was read must be read again. Release the pin.
// The wait also ends with ctx, with ErrClosed, or with ErrFenced or ErrLost.
func (a *Actor) Pin(ctx context.Context, seen View) (*Pin, error) {
	p := &Pin{actor: a, hurry: make(chan struct{}), expired: make(chan struct{})}
	err := a.ask(ctx, func(r *request) {
		a.asks[r.ticket], a.grants[r.ticket] = r, p
		a.tell(event{what: pinAsked, ticket: r.ticket})
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// RegularSpan returns, at once, a span that lasts until the table is cleared.
func (a *Actor) RegularSpan(ctx context.Context) (*Span, error) {
	s := new(Span)
	err := a.ask(ctx, func(r *request) {
		s.period.Store(a.periods.regular)
		r.answer(nil, a.lock.over)
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// ScratchSpan returns a span of the scratch session that is on, or, where none is, one that the
// first Discard which carries it binds to the session that it starts or joins. It waits with
// Stage and Discard while a merge is being folded, but never starts a session.
func (a *Actor) ScratchSpan(ctx context.Context) (*Span, error) {
	r := newRequest(0)
	r.span = new(Span)
	if err := a.submit(ctx, r); err != nil {
		return nil, err
	}
	return r.span, nil
}

// Status returns, at once, what the actor is doing; also of a table that can no longer be written.
func (a *Actor) Status(ctx context.Context) (Status, error) {
	var s Status
	err := a.ask(ctx, func(r *request) {
		s = Status{View: a.lock.view, Pins: len(a.pins), Mailbox: a.regular.len() + a.scratch.len(), Broken: a.lock.broken()}
		r.answer(nil, nil)
	})
	if err != nil {
		return Status{}, err
	}
	return s, nil
}

// ask has a question handled by the run loop, and waits for the answer.
func (a *Actor) ask(ctx context.Context, handle func(*request)) error {
	r := newRequest(0)
	if err := a.hand(ctx, func() {
		r.ticket = a.ticket()
		handle(r)
	}); err != nil {
		return err
	}
	err := r.await(ctx, a.closing)
	if r.isGone() {
		a.post(func() { a.handleGone(r) })
	}
	return err
}

// handleGone forgets a question whose caller has left.
func (a *Actor) handleGone(r *request) {
	a.forget(r.ticket)
	a.tell(event{what: left, ticket: r.ticket})
}

// Acked returns the number of the last effect that is known to have been had. It does not wait.
func (a *Actor) Acked() uint64 { return a.view.Load().Seq }

// View returns the table's view after the last effect that is known to have been had. It does not
// wait. Every effect is in it before any of its callers is answered.
func (a *Actor) View() View { return *a.view.Load() }

// Folded tells the actor that the fold of a generation has ended: with nil the state is clear now,
// with ErrFenced or ErrLost the table can no longer be written, after any other error the fold is
// asked for again. It means nothing when that generation is not being folded any more. It does not
// wait for Redis.
func (a *Actor) Folded(generation uint32, err error) {
	a.post(func() {
		if err != nil {
			a.cfg.Logger.Warn("the fold failed", zap.Uint32("generation", generation), zap.Error(err))
		}
		a.tell(event{what: folded, generation: generation, err: err})
	})
}

// Done returns a channel that is closed when Close begins: from then on no call is taken.
func (a *Actor) Done() <-chan struct{} { return a.closing }

// Close refuses new calls and ends waiting ones with ErrClosed, expires pins, and ends spans. It
// waits for the effect under way, whose callers get its true result; where that is not known their
// error Is ErrUnknownOutcome and ErrClosed. When Close returns both goroutines have ended. It may
// be called more than once and concurrently, but not by the store or Config.Fold.
func (a *Actor) Close() {
	a.once.Do(func() {
		close(a.closing)
		a.effector.cancel()
	})
	a.wg.Wait()
}
