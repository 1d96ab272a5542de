package engine

import (
	"context"
	"testing"
	"testing/synctest"
)

// W2: a holder whose calls share the context of the session.

// ownLife begins a session and a call in it, which leave together.
func (r *rig) ownLife(f func(ctx context.Context, s *Session) error) (*Session, *call) {
	r.t.Helper()
	ctx, leave := context.WithCancel(context.Background())
	c := r.begin("scratch", func(_ context.Context, c *call) (err error) {
		c.session, err = r.Scratch(ctx)
		return err
	})
	c.gets(nil)
	in := r.begin("a call of the holder", func(context.Context, *call) error { return f(ctx, c.session) })
	in.leave = leave
	return c.session, in
}

// What was certainly not applied is dropped with its caller, and refused with the session, in one step.
func TestW2_TheHolderAndItsCallsLeaveTogether(t *testing.T) {
	t.Parallel()
	calls := map[string]func(context.Context, *Session) error{
		"stage": func(ctx context.Context, s *Session) error { return s.Stage(ctx, rows("a")) },
		"discard": func(ctx context.Context, s *Session) error {
			_, err := s.Discard(ctx, marks("a"))
			return err
		},
		"merge": func(ctx context.Context, s *Session) error { return s.Merge(ctx, []byte("n")) },
	}
	for what, call := range calls {
		for _, how := range []fault{away, postpone, refuse, forbid, cut, replyLost, fine} {
			bubble(t, Config{}, View{}, func(r *rig) { r.leavesTogether(what, call, how, false) })
			bubble(t, Config{}, View{}, func(r *rig) { r.leavesTogether(what, call, how, true) })
		}
	}
}

func (r *rig) leavesTogether(what string, call func(context.Context, *Session) error, how fault, staged bool) {
	r.t.Helper()
	s, in := r.ownLife(func(ctx context.Context, s *Session) error {
		if staged {
			if err := s.Stage(ctx, rows("x")); err != nil {
				return err
			}
		}
		return call(ctx, s)
	})
	if staged {
		r.end(Stage, fine)
	}
	v := r.storeCall()
	in.leave()
	synctest.Wait()
	v.end(how)
	r.open()
	in.gets(context.Canceled)
	if r.View().State == StateMerging {
		r.merged(r.View().Generation)
	}
	r.put("z").gets(nil)
	r.scratch().gets(nil)
	if s.Err() == nil {
		r.t.Errorf("%s: the session is still on", what)
	}
}
