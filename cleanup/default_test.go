package cleanup

import (
	"errors"
	"testing"
)

func TestTheDefaultPoolLivesFromFirstUseToLast(t *testing.T) {
	a, releaseA := Acquire()
	b, releaseB := Acquire()
	if a != b {
		t.Fatal("two default pools")
	}
	releaseA()
	releaseA() // counts once
	wantEnd(t, submit(t, b, countdown(1, func() {})), nil)
	releaseB()
	if _, err := b.Submit(countdown(1, func() {})); !errors.Is(err, ErrClosed) {
		t.Errorf("after the last release: %v", err)
	}
	select {
	case <-b.stopped:
	default:
		t.Error("the last release did not wait for the workers")
	}
	c, releaseC := Acquire()
	defer releaseC()
	if c == b {
		t.Error("a closed pool came back")
	}
}
