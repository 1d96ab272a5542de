package engine

import (
	"context"
	"time"
)

// Session is a scratch session that belongs to its holder. It is on from Actor.Scratch on, although nothing is staged yet: until its
// end plain scratch writes and Merge wait, and so do others who call Scratch. It ends with its Merge, with an Abort of anybody's or
// a Clear, with the table, or when the context that Scratch was given has ended: then it is aborted in the background, before anything
// else begins. It is safe for concurrent use.
type Session struct {
	actor  *Actor
	ticket ticket // written by the actor before Scratch returns
	life   context.Context
	span   Span        // ends with the session
	stop   func() bool // the actor's alone: stops waiting for the end of life
}

// Scratch begins a session that lasts no longer than ctx. It waits while a scratch session is on, and while a merge is being folded;
// sessions are granted in order of arrival. The wait also ends with ctx, with ErrClosed, or with ErrFenced or ErrLost.
func (a *Actor) Scratch(ctx context.Context) (*Session, error) {
	s := &Session{actor: a, life: ctx}
	r := newRequest(0)
	r.opens = s
	err := a.sendRequest(ctx, r, func() {
		s.ticket = r.ticket
		a.pending[r.ticket] = r
		a.tell(event{what: sessionRequested, ticket: r.ticket})
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Err returns nil while the session is on, then how it has ended: ErrScratchMerged, ErrScratchAborted, ErrClosed, or the reason why the
// table can no longer be written.
func (s *Session) Err() error {
	if err := s.span.Err(); err != nil {
		return err
	}
	return s.lifeErr()
}

func (s *Session) lifeErr() error {
	if s.life.Err() != nil {
		return Because(ErrScratchAborted, Ended(s.life))
	}
	return nil
}

// Span returns the session's span.
func (s *Session) Span() *Span { return &s.span }

// Stage is Actor.Stage in the session. After its end the error is that of Err.
func (s *Session) Stage(ctx context.Context, rows []Row) error {
	if err := s.Err(); err != nil || len(rows) == 0 {
		return err
	}
	r := rowsRequest(Stage, rows)
	r.session = s
	return s.actor.submit(ctx, r)
}

// Discard is Actor.Discard in the session. After its end the error is that of Err.
func (s *Session) Discard(ctx context.Context, d Deletion) ([]Verdict, error) {
	if err := s.Err(); err != nil || len(d.Marks) == 0 {
		return nil, err
	}
	r := deletionRequest(Discard, d)
	r.session = s
	return s.actor.submitForVerdicts(ctx, r)
}

// SweepStaged is Actor.SweepStaged in the session. After its end the error is that of Err.
func (s *Session) SweepStaged(ctx context.Context, sweep Sweep, span *Span) ([]Verdict, error) {
	if err := s.Err(); err != nil {
		return nil, err
	}
	r := deletionRequest(Discard, Deletion{Sweep: &sweep, Span: span})
	r.session = s
	return s.actor.submitForVerdicts(ctx, r)
}

// DiscardAll is Actor.DiscardAll in the session. After its end the error is that of Err.
func (s *Session) DiscardAll(ctx context.Context) (int, error) {
	if err := s.Err(); err != nil {
		return 0, err
	}
	return s.actor.discardAll(ctx, s)
}

// Merge is Actor.Merge for the session, and writes the note in the same effect; nil: the note stays as it is. If nothing is staged it
// only writes the note, as Actor.Apply does. After the session's end the error is that of Err.
func (s *Session) Merge(ctx context.Context, note []byte) error {
	r := newRequest(Merge)
	r.note, r.bytes = note, len(note)
	return s.command(ctx, r)
}

// Abort drops all that the session has staged, and ends it. After its end the error is that of Err, and nothing is done.
func (s *Session) Abort(ctx context.Context) error { return s.command(ctx, newRequest(Abort)) }

func (s *Session) command(ctx context.Context, r *request) error {
	if err := s.Err(); err != nil {
		return err
	}
	r.session = s
	return s.actor.command(ctx, r)
}

// beginSession grants a session, and has its end come with that of its holder's context.
func (a *Actor) beginSession(x action) {
	r := a.pending[x.ticket]
	a.forget(x.ticket)
	s := r.opens
	s.span.lifetime.Store(a.lifetimes.scratch)
	s.stop = context.AfterFunc(s.life, func() { a.postControl(func() { a.handleHolderLeft(s) }) })
	a.session = s
	if !r.answer(nil, nil) {
		a.handleHolderLeft(s)
	}
}

func (a *Actor) handleHolderLeft(s *Session) {
	a.tell(event{what: holderLeft, ticket: s.ticket, err: s.lifeErr()})
}

// abandon commands the Abort of the session whose holder has left. Nobody waits for it.
func (a *Actor) abandon() {
	r := newRequest(Abort)
	r.abandons, r.caller = a.session, context.WithoutCancel(a.session.life)
	a.handleCommand(r)
}

// endSession forgets the session that is on, if it has a holder.
func (a *Actor) endSession() {
	if a.session != nil {
		a.session.stop()
		a.session = nil
	}
}

// sessionSince is when the session began that is on, whoever it belongs to.
type sessionSince struct {
	holder ticket
	began  time.Time // zero: none is on
}

func (s *sessionSince) update(m *machine) {
	switch {
	case !m.sessionOn():
		*s = sessionSince{}
	case s.began.IsZero() || s.holder != m.sessions.holder:
		*s = sessionSince{m.sessions.holder, time.Now()}
	}
}
