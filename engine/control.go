package engine

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"
)

// Status is what an actor is doing.
type Status struct {
	View    View
	Pins    int   // pins that were granted and have not ended
	Mailbox int   // writes in the mailboxes, without those that wait to enter a full one
	Broken  error // why the table can no longer be written; else nil

	ScratchSince time.Time // when the scratch session began that is on; zero if none is
}

// WaitClear waits until the state is clear: no scratch session is on and the last merge is folded.
// The wait also ends with ctx, with ErrClosed, or with ErrFenced or ErrLost.
func (a *Actor) WaitClear(ctx context.Context) error {
	r := newRequest(0)
	r.awaitsClear = true
	return a.sendRequest(ctx, r, func() {
		a.pending[r.ticket] = r
		a.tell(event{what: clearAwaited, ticket: r.ticket})
	})
}

// Pin returns a pin on the current generation. It waits while an effect that changes what readers
// see is under way, or has the lock and waits for pins. It does not wait for an effect that was not
// applied and pauses before it is sent again. If Pin.View has another generation or version than the view
// that the caller has read, the caller must read again. Release the pin. The wait also ends
// with ctx, with ErrClosed, or with ErrFenced or ErrLost.
func (a *Actor) Pin(ctx context.Context, read View) (*Pin, error) {
	p := &Pin{actor: a, hurry: make(chan struct{}), expired: make(chan struct{})}
	r := newRequest(0)
	err := a.sendRequest(ctx, r, func() {
		a.pending[r.ticket], a.pinsToGrant[r.ticket] = r, p
		a.tell(event{what: pinRequested, ticket: r.ticket})
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// RegularSpan returns, at once, a span that lasts until the table is cleared.
func (a *Actor) RegularSpan(ctx context.Context) (*Span, error) {
	s, r := new(Span), newRequest(0)
	err := a.sendRequest(ctx, r, func() {
		s.lifetime.Store(a.lifetimes.regular)
		r.answer(nil, a.machine.stopErr)
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// ScratchSpan returns a span of the scratch session that is on. If none is, the span is not bound
// yet: the first Discard that carries it binds it to the session that this Discard starts or joins.
// ScratchSpan waits as Stage and Discard do while a merge is being folded, but starts no session.
func (a *Actor) ScratchSpan(ctx context.Context) (*Span, error) {
	r := newRequest(0)
	r.span = new(Span)
	if err := a.submit(ctx, r); err != nil {
		return nil, err
	}
	return r.span, nil
}

// Status returns, at once, what the actor is doing, also if the table can no longer be written.
func (a *Actor) Status(ctx context.Context) (Status, error) {
	var s Status
	r := newRequest(0)
	err := a.sendRequest(ctx, r, func() {
		waiting := a.regular.len() + a.sweeps.len() + a.scratch.len() + a.held.len()
		s = Status{View: a.machine.view, Pins: len(a.pins), Mailbox: waiting, Broken: a.machine.broken(), ScratchSince: a.since.began}
		r.answer(nil, nil)
	})
	if err != nil {
		return Status{}, err
	}
	return s, nil
}

// sendRequest lets the run loop handle a new request, and waits for the answer.
func (a *Actor) sendRequest(ctx context.Context, r *request, handle func()) error {
	if err := a.sendControl(ctx, func() {
		r.ticket = a.newTicket()
		handle()
	}); err != nil {
		return err
	}
	err := r.await(ctx, a.closing, &a.reasons)
	if r.isAbandoned() {
		a.postControl(func() { a.handleAbandoned(r) })
	}
	return err
}

// handleAbandoned forgets a request whose caller has left.
func (a *Actor) handleAbandoned(r *request) {
	a.forget(r.ticket)
	a.tell(event{what: withdrawn, ticket: r.ticket})
}

// Acked returns the number of the last effect that is known to be applied. It does not wait.
func (a *Actor) Acked() uint64 { return a.view.Load().Seq }

// View returns the table's view after the last effect that is known to be applied. It does not
// wait. The view shows an effect before any caller of the effect is answered.
func (a *Actor) View() View { return *a.view.Load() }

// Folded tells the actor that the fold of a generation has ended. With nil the state is clear now;
// with ErrFenced or ErrLost the table can no longer be written; after any other error the fold is
// requested again. Folded does nothing if that generation is no longer being folded. It does not
// wait for Redis.
func (a *Actor) Folded(generation uint32, err error) {
	a.postControl(func() {
		if err != nil {
			a.cfg.Logger.Warn("the fold failed", zap.Uint32("generation", generation), zap.Error(err))
		}
		a.tell(event{what: folded, generation: generation, err: err})
	})
}

// FoldFails tells the actor that a step of the fold of a generation has failed, though the fold goes on, or, with nil, that none
// does any more: callers who wait for the fold hear why, at once where that is a RefusedError which does not pass. It does not
// wait for Redis.
func (a *Actor) FoldFails(generation uint32, err error) {
	a.postControl(func() { a.tell(event{what: foldFails, generation: generation, err: err}) })
}

// FoundBroken tells the actor that a reader has found the table fenced or lost: err is ErrFenced or ErrLost, wrapped or not. Then
// the table can no longer be written, and everything that waits ends with err. FoundBroken does not wait for Redis.
func (a *Actor) FoundBroken(err error) {
	a.postControl(func() {
		if a.machine.stopErr == nil {
			a.cfg.Logger.Error("the table can no longer be written, as a read has found", zap.Error(err))
		}
		a.tell(event{what: foundBroken, err: err})
	})
}

// Done returns a channel that is closed when the table can no longer be written: it is fenced, lost or closed. Err says which.
func (a *Actor) Done() <-chan struct{} { return a.lifetimes.table.done }

// Err returns why the table can no longer be written: ErrFenced or ErrLost, wrapped or not, or ErrClosed; the first of them
// stays. It is nil before Done is closed.
func (a *Actor) Err() error {
	select {
	case <-a.Done():
		return a.lifetimes.table.err
	default:
		return nil
	}
}

// Close refuses new calls and ends waiting ones with ErrClosed, expires pins, and ends spans. It
// waits for the effect under way, whose callers get its true result; if that is not known, their
// error Is ErrUnknownOutcome and ErrClosed. When Close returns, both goroutines have ended, unless
// a call of the store was given up: see GiveUp. Close may be called more than once and concurrently,
// but not by the store or Config.Fold.
func (a *Actor) Close() {
	a.once.Do(func() {
		close(a.closing)
		a.effector.cancel()
	})
	a.wg.Wait()
	select {
	case <-a.effector.ended:
	case <-a.tooLate:
	}
}

// errGivenUp: Close no longer waits for a call of the store.
var errGivenUp = errors.New("engine: a call of the store was given up")

// GiveUp makes a Close that has begun no longer wait for the call of the store under way. The callers of that effect get
// ErrUnknownOutcome. The effector's goroutine ends when that call ends, if it ever does. GiveUp returns when all callers have
// their answers.
func (a *Actor) GiveUp() {
	a.onceLate.Do(func() { close(a.tooLate) })
	a.wg.Wait()
}
