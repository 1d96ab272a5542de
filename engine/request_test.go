package engine

import (
	"context"
	"errors"
	"testing"
)

// The state of a request: who may decide, at each moment, how it ends.

func TestCallerThatLeavesAtTheMomentOfTheAnswerGetsIt(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r := newRequest(Delete)
	r.tryClaim()
	r.answer([]Verdict{Marked}, errRefused)
	if err := r.giveUp(ctx, new(reasons)); !errors.Is(err, errRefused) || len(r.verdicts) != 1 {
		t.Errorf("%v, %q", err, r.verdicts)
	}
	if r.isAbandoned() || r.tryWithdraw() || r.tryClaim() || r.answer(nil, nil) {
		t.Error("an answered request can be claimed, withdrawn or answered again")
	}
}

func TestAbandonedRequest(t *testing.T) {
	t.Parallel()
	r := newRequest(Put)
	if !r.tryWithdraw() || !r.isAbandoned() {
		t.Error("a pending request cannot be withdrawn")
	}
	r.unclaim()
	if r.tryClaim() || r.tryWithdraw() || r.answer(nil, nil) || !r.isAbandoned() {
		t.Error("an abandoned request can be claimed, withdrawn or answered")
	}
}

func TestClaimedRequestCannotBeWithdrawnUntilItIsUnclaimed(t *testing.T) {
	t.Parallel()
	r := newRequest(Put)
	if !r.tryClaim() || r.tryClaim() || r.tryWithdraw() {
		t.Error("a claimed request can be claimed again or withdrawn")
	}
	r.unclaim()
	if !r.tryClaim() {
		t.Error("an unclaimed request cannot be claimed")
	}
	r.unclaim()
	if !r.tryWithdraw() {
		t.Error("an unclaimed request cannot be withdrawn")
	}
}

// Until its effect departs a caller that is alone leaves having done nothing; one that shares the effect does not know.
func TestP9_WhoLeavesBeforeTheEffectDeparts(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct{ joined, departs, unknown bool }{{unknown: false}, {departs: true, unknown: true}, {joined: true, unknown: true}} {
		b := newBatch(newRequest(Put), 0)
		if c.joined {
			b.add(newRequest(Put))
		}
		r := b.requests[0]
		b.claim()
		e := &Effect{requests: b.requests}
		if c.departs && !e.Depart() {
			t.Error("an effect for which somebody waits may not depart")
		}
		if err := r.giveUp(ended, new(reasons)); errors.Is(err, ErrUnknownOutcome) != c.unknown {
			t.Errorf("%+v: got %v", c, err)
		}
		if e.Depart() != c.joined {
			t.Errorf("%+v: whether it departs is not whether somebody waits", c)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		StateClear.String(): "clear", StateActive.String(): "active", StateMerging.String(): "merging", State(9).String(): "state(9)",
		Put.String(): "put", Clear.String(): "clear", Repair.String(): "repair", Apply.String(): "apply", Update.String(): "update", Complete.String(): "complete", Kind(0).String(): "none", Kind(99).String(): "kind(99)",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestBytesAreSentAsTheyAre(t *testing.T) {
	t.Parallel()
	b := Bytes("\x00a\xff")
	sent, err := b.MarshalBinary()
	if err != nil || &sent[0] != &b[0] || len(sent) != len(b) {
		t.Errorf("%x, %v", sent, err)
	}
}

func TestRefusedErrorIsItsReason(t *testing.T) {
	t.Parallel()
	err := error(&RefusedError{Err: errRefused, Temporary: true})
	if err.Error() != errRefused.Error() || !errors.Is(err, errRefused) {
		t.Errorf("%v", err)
	}
}

func TestConfigDefaultsLeaveTheCallersAlone(t *testing.T) {
	t.Parallel()
	given := Config{BatchRows: 7, Backoff: Backoff{First: 3}}
	used := given.withDefaults()
	if used.Mailbox != 1024 || used.BatchRows != 7 || used.BatchBytes != 512<<10 || used.Grace != 5e9 ||
		used.Backoff != (Backoff{First: 3, Most: 500e6}) || used.Logger == nil || used.Fold == nil {
		t.Errorf("defaults %+v", used)
	}
	if given.Mailbox != 0 || given.Logger != nil || given.Backoff.Most != 0 {
		t.Errorf("the caller's config was changed: %+v", given)
	}
}
