package engine

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// WaitFor names what a call has waited for.
type WaitFor string

// What a call may wait for.
const (
	WaitScratch WaitFor = "scratch" // a scratch session is on: regular writes wait for its end, or a session has a holder, and others wait
	WaitFold    WaitFor = "fold"    // a merge is being folded
	WaitReads   WaitFor = "reads"   // long reads that a write would disturb
	WaitRedis   WaitFor = "redis"   // Redis answers slowly, cannot be had, or refuses for now
)

// WaitError tells why a call was still waiting when its context ended. It stands beside the context's error.
type WaitError struct {
	For   WaitFor
	Since time.Time // when what was waited for began
	Err   error     // what went wrong last there; nil if nothing did
}

// Error says what was waited for, and what went wrong there.
func (e *WaitError) Error() string {
	since := e.Since.Format("2006-01-02T15:04:05.000Z07:00")
	var text string
	switch e.For {
	case WaitScratch:
		text = "waited for scratch, on since " + since
	case WaitFold:
		text = "waited for the fold, on since " + since
	case WaitReads:
		text = "waited for a long read since " + since
	default:
		text = "waited for Redis since " + since
	}
	if e.Err != nil {
		text += ": " + Unprefixed(e.Err)
	}
	return text
}

// Unwrap returns what went wrong.
func (e *WaitError) Unwrap() error { return e.Err }

// EndedWaiting is Ended for a call that has waited.
func EndedWaiting(ctx context.Context, w *WaitError) error { return Because(Ended(ctx), w) }

// waitClass is a class of callers that wait for the same.
type waitClass int

const (
	waitsForLock    waitClass = iota // abort, clear, pins, and what belongs to a session that has a holder
	waitsForRegular                  // regular writes
	waitsForClear                    // deletions that sweep, and those who wait for the clear state
	waitsForScratch                  // plain scratch writes
	waitsForHolder                   // plain merges
	waitsForSession                  // those who wait for a session of their own
	waitClasses                      // how many there are
)

// reason is what one class waits for now.
type reason struct {
	why    WaitFor // empty: the class waits for nothing
	ticket ticket  // of the effect that the class waits for, if it is one
	since  time.Time
	err    error
}

// reasons tell what each class waits for now. The actor writes them, and callers that leave read them.
type reasons struct {
	mu  sync.Mutex // guards all
	all [waitClasses]reason
}

// update notes what the machine waits for. A reason that lasts keeps the time when it began.
func (w *reasons) update(m *machine) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.all {
		r, now := &w.all[c], m.reason(waitClass(c))
		if now.why != r.why || now.ticket != r.ticket {
			r.since = time.Now()
		}
		r.why, r.ticket, r.err = now.why, now.ticket, now.err
	}
}

// ended returns the error of a caller whose context has ended while it waited.
func (w *reasons) ended(ctx context.Context, c waitClass) error {
	w.mu.Lock()
	r := w.all[c]
	w.mu.Unlock()
	if r.why == "" {
		return Ended(ctx)
	}
	return EndedWaiting(ctx, &WaitError{For: r.why, Since: r.since, Err: r.err})
}

// reason returns what callers of a class wait for.
func (m *machine) reason(c waitClass) reason {
	switch {
	case m.view.State == StateActive && (c == waitsForClear || c == waitsForRegular && !m.writeThrough):
		return reason{why: WaitScratch}
	case m.waitsForSession(c):
		return reason{why: WaitScratch, ticket: m.sessions.holder, err: m.abandonTrouble()}
	case c != waitsForLock && c != waitsForHolder && m.view.State == StateMerging:
		return reason{why: WaitFold, err: m.foldCause}
	case m.current.phase == holding:
		return reason{why: WaitReads, ticket: m.current.ticket}
	case m.current.phase != none:
		return reason{why: WaitRedis, ticket: m.current.ticket, err: m.current.trouble}
	case len(m.aside) > 0:
		return reason{why: WaitRedis, ticket: m.aside[0].ticket, err: m.aside[0].trouble}
	}
	return reason{}
}

// waitsForSession tells whether callers of a class wait for a session of somebody else.
func (m *machine) waitsForSession(c waitClass) bool {
	switch c {
	case waitsForScratch, waitsForHolder:
		return m.sessions.holder != 0
	case waitsForSession:
		return m.sessionOn()
	}
	return false
}

// because is an error and its reason. Its text says the library's name once.
type because struct{ what, why error }

// Because returns an error that says: what, because of why. errors.Is and errors.As find both.
func Because(what, why error) error { return &because{what, why} }

// Error says both.
func (b *because) Error() string { return fmt.Sprintf("%v: %s", b.what, Unprefixed(b.why)) }

// Unwrap returns both.
func (b *because) Unwrap() []error { return []error{b.what, b.why} }
