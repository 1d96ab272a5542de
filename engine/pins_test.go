package engine

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// Pins: who waits for which, for how long, and how they end.

func isClosed(c <-chan struct{}) bool {
	synctest.Wait()
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// pinIs checks how a pin stands: whether it hurries, and why it has expired, if it has.
func (r *rig) pinIs(p *Pin, hurried bool, expired error) {
	r.t.Helper()
	if got := isClosed(p.Hurry()); got != hurried {
		r.t.Errorf("hurried: %t, want %t", got, hurried)
	}
	if got := isClosed(p.Expired()); got != (expired != nil) || !errors.Is(p.Err(), expired) {
		r.t.Errorf("expired: %t because %v, want %v", got, p.Err(), expired)
	}
}

func TestS6_PinIsGrantedWhileNothingDisturbsItsReader(t *testing.T) {
	inBubble(t, Config{}, View{Generation: 3, Version: 8, Seq: 20}, func(r *rig) {
		if v := r.pin().View(); v != (View{Generation: 3, Version: 8, Seq: 20}) {
			t.Errorf("the pin is on %+v", v)
		}
		r.stage("a")
		r.pin() // a stage under way disturbs nobody
		r.end(Stage, fine)
		r.discard(marks("a"))
		r.pin()
		r.end(Discard, fine)
		merge := r.merge()
		late := r.requestPin()
		late.waits() // the merge decides which generation it is on
		r.end(Merge, fine)
		merge.gets(nil)
		late.gets(nil)
		if v := late.pin.View(); v.Generation != 4 || v.State != StateMerging {
			t.Errorf("the pin is on %+v", v)
		}
	})
}

func TestS6_PinWaitsForThePutUnderWayAndSeesIt(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		r.put("a")
		pin := r.requestPin()
		pin.waits()
		r.end(Put, fine)
		pin.gets(nil)
		if v := pin.pin.View(); v.Version != 1 || v.Seq != 1 {
			t.Errorf("the pin is on %+v", v)
		}
	})
}

func TestS6_PinWaitsForNoWriteThatWaitsForTheLock(t *testing.T) {
	inBubble(t, Config{}, View{State: StateActive}, func(r *rig) {
		r.put("a").waits()
		r.pinIs(r.pin(), false, nil)
	})
}

func TestS6_EffectGoesOnWhenItsPinsAreReleased(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		first, second := r.pin(), r.pin()
		put := r.put("a")
		r.pinIs(first, true, nil)
		r.pinIs(second, true, nil)
		behind := r.requestPin()
		behind.waits()
		first.Release()
		first.Release()
		r.idle()
		second.Release()
		r.expect(Put, "a")
		put.gets(nil)
		behind.gets(nil)
		r.pinIs(behind.pin, false, nil)
		r.pass(time.Minute)
		r.pinIs(first, true, nil) // what was released does not expire
	})
}

func TestG5_StalledReaderHoldsAnEffectUpForTheGracePeriod(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		pin := r.pin()
		r.pass(time.Hour) // nothing waits
		r.pinIs(pin, false, nil)
		put := r.put("a")
		r.pass(5*time.Second - 1)
		put.waits()
		r.idle()
		r.pinIs(pin, true, nil)
		r.pass(1)
		r.pinIs(pin, true, ErrSnapshotExpired)
		r.expect(Put, "a")
		put.gets(nil)
		pin.Release()
	})
}

func TestG5_GraceCountsFromTheFirstThatWaitsAndIsNeverRestarted(t *testing.T) {
	inBubble(t, Config{Grace: 10 * time.Second}, View{}, func(r *rig) {
		pin := r.pin()
		first := r.put("a")
		r.pass(4 * time.Second)
		first.leaves()
		later := r.pin()
		r.pass(4 * time.Second)
		second := r.delete(marks("b"))
		r.pass(2 * time.Second)
		r.pinIs(pin, true, ErrSnapshotExpired) // 10 s after first
		r.pinIs(later, true, nil)
		second.waits()
		r.pass(8*time.Second - 1)
		r.pinIs(later, true, nil)
		r.pass(1)
		r.pinIs(later, true, ErrSnapshotExpired) // 10 s after second
		r.expect(Delete, "b")
		second.gets(nil)
	})
}

func TestS6_PinsAreGrantedWhileAnEffectIsPausedAndThenWaitedFor(t *testing.T) {
	inBubble(t, Config{Grace: 10 * time.Second, Backoff: Backoff{First: time.Minute, Most: time.Minute}}, View{}, func(r *rig) {
		put := r.put("a")
		r.end(Put, away)
		pin := r.pin()
		r.pinIs(pin, false, nil)
		<-pin.Hurry() // the pause is over
		r.requestPin().waits()
		r.pass(10*time.Second - 1)
		r.pinIs(pin, true, nil)
		r.idle()
		r.pass(1)
		r.pinIs(pin, true, ErrSnapshotExpired)
		r.expect(Put, "a")
		put.gets(nil)
	})
}

func TestD7_FoldWaitsForOlderPinsAlone(t *testing.T) {
	inBubble(t, Config{}, View{State: StateActive}, func(r *rig) {
		older, released := r.pin(), r.pin()
		r.merge()
		r.end(Merge, fine)
		r.pinIs(older, true, nil)
		younger := r.pin()
		r.pinIs(younger, false, nil)
		released.Release()
		r.pass(5*time.Second - 1)
		r.foldsAre()
		r.pass(1)
		r.foldsAre(1)
		r.pinIs(older, true, ErrSnapshotExpired)
		r.Folded(1, nil)
		r.pass(time.Hour)
		r.pinIs(younger, false, nil)
	})
}

func TestD7_PutsWaitForPinsOfThePresentGenerationAlone(t *testing.T) {
	inBubble(t, Config{}, View{State: StateActive}, func(r *rig) {
		older := r.pin()
		r.merge()
		r.end(Merge, fine)
		older.Release()
		r.store.fold(1)
		r.Folded(1, nil)
		present := r.pin()
		put := r.put("a")
		r.pinIs(present, true, nil)
		r.idle()
		present.Release()
		r.expect(Put, "a")
		put.gets(nil)
	})
}

func TestD11_ClearWaitsForAllPins(t *testing.T) {
	inBubble(t, Config{}, View{State: StateActive}, func(r *rig) {
		older := r.pin()
		r.merge()
		r.end(Merge, fine)
		r.pass(time.Second)
		younger := r.pin()
		clear := r.clear()
		r.pinIs(younger, true, nil)
		r.pass(4 * time.Second)
		r.pinIs(older, true, ErrSnapshotExpired)
		r.idle()
		r.pass(time.Second)
		r.pinIs(younger, true, ErrSnapshotExpired)
		r.end(Clear, fine)
		clear.gets(nil)
	})
}

func TestS6_StagingMergingAndAbortingWaitForNoPin(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		pin := r.pin()
		r.stage("a")
		r.expect(Stage, "a")
		r.discard(marks("a"))
		r.expect(Discard, "a")
		r.abort()
		r.end(Abort, fine)
		r.stage("b")
		r.expect(Stage, "b")
		r.pinIs(pin, false, nil)
		r.merge()
		r.end(Merge, fine)
		r.stateIs(StateMerging)
	})
}

func TestS6_CallerThatLeavesAtTheMomentOfTheGrantLeavesNoPin(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		// The run loop finds the request abandoned when it grants the pin.
		pin := &Pin{actor: r.Actor, hurry: make(chan struct{}), expired: make(chan struct{})}
		left := newRequest(0)
		left.abandon()
		put := r.put("a")
		v := r.storeCall()
		r.control <- func() {
			left.ticket = r.newTicket()
			r.pending[left.ticket], r.pinsToGrant[left.ticket] = left, pin
			r.tell(event{what: pinRequested, ticket: left.ticket})
		}
		clear := r.clear() // hurries the pin that is granted before it
		v.end(fine)
		put.gets(nil)
		r.end(Clear, fine)
		clear.gets(nil)
		if s, err := r.Status(context.Background()); err != nil || s.Pins != 0 {
			t.Errorf("%d pins, %v", s.Pins, err)
		}
	})
}

func TestS6_ManyPinsExpireEachInItsTime(t *testing.T) {
	inBubble(t, Config{Grace: time.Minute}, View{State: StateActive}, func(r *rig) {
		var older, younger []*Pin
		for range 100 {
			older = append(older, r.pin())
		}
		r.merge()
		r.end(Merge, fine)
		r.pass(time.Second)
		for range 100 {
			younger = append(younger, r.pin())
		}
		for _, p := range older[50:] {
			p.Release()
		}
		r.clear()
		r.pass(59 * time.Second)
		for i, p := range older {
			if got := isClosed(p.Expired()); got != (i < 50) {
				t.Errorf("older pin %d has expired: %t", i, got)
			}
		}
		r.idle()
		r.pass(time.Second)
		for _, p := range younger {
			r.pinIs(p, true, ErrSnapshotExpired)
		}
		r.end(Clear, fine)
		if s, err := r.Status(context.Background()); err != nil || s.Pins != 0 {
			t.Errorf("%d pins, %v", s.Pins, err)
		}
	})
}

func TestG13_PinsExpireWithTheTable(t *testing.T) {
	inBubble(t, Config{}, View{}, func(r *rig) {
		pin, released := r.pin(), r.pin()
		released.Release()
		put := r.put("a")
		r.Close()
		put.gets(ErrClosed)
		r.pinIs(pin, true, ErrClosed)
		r.pinIs(released, false, nil)
		pin.Release()
		r.requestPin().gets(ErrClosed)
	})
}
